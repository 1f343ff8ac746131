/** Who sees whom, by positions: all modes of attention are these functions. They rise with their argument. */
export const BANDS = `
// where the window of token i begins, and the context of that window
fn windowOf(i: u32) -> u32 { return i / u.windowSize * u.windowSize; }
fn contextOf(i: u32) -> u32 {
  let first = windowOf(i);
  return first - min(first, u.lookBackward * u.windowSize);
}

// query i sees the keys firstKey(i) ... endKey(i) - 1
fn firstKey(i: u32) -> u32 {
  let first = contextOf(i);
  let exact = i - min(i, u.lookBackward * u.windowSize);
  return select(first, max(first, exact), u.exactWindowsize != 0u);
}
fn endKey(i: u32) -> u32 {
  let ahead = u.lookForward * u.windowSize;
  let end = min(u.length, windowOf(i) + u.windowSize + ahead);
  let nearest = select(i + ahead + 1u, i + 1u, u.causal != 0u);
  return select(end, min(end, nearest), u.causal != 0u || u.exactWindowsize != 0u);
}

// key j is seen by the queries firstQuery(j) ... endQuery(j) - 1
fn firstQuery(j: u32) -> u32 {
  let ahead = u.lookForward * u.windowSize;
  let window = windowOf(j);
  let first = window - min(window, ahead);
  let exact = select(first, max(first, j - min(j, ahead)), u.exactWindowsize != 0u);
  return select(exact, j, u.causal != 0u);
}
fn endQuery(j: u32) -> u32 {
  let back = u.lookBackward * u.windowSize;
  let end = min(u.length, windowOf(j) + u.windowSize + back);
  return select(end, min(end, j + back + 1u), u.exactWindowsize != 0u);
}`;
