/** Which keys and why, as sentences in the words of the README. */
import type {Window} from './options';
import {contextOf, countOf, keysOf} from './visible';

/** Of query i of a text: how many keys it sees, and what makes them that many. */
export function sentenceOf(window: Window, text: ArrayLike<string>, i: number): string {
  const keys = keysOf(window, text.length, i);
  const usual = usualCount(window, i);
  const seen = countOf(keys);
  const missing = usual - seen;
  const ends = [i - keys.from < back(window, i) && 'begins', keys.to - 1 - i < ahead(window, i) && 'ends']; // prettier-ignore
  const shorter = ends.filter(Boolean).join(' and ');
  const reason = missing > 0 ? `, ${missing} fewer than elsewhere: the text ${shorter} there` : '';
  return `Query ${i + 1}, ${named(text[i])}, sees ${plural(seen, 'key')}${reason}.`;
}

/** The rule of the mode, with its numbers: what the picture shows away from the ends of the text. */
export function ruleOf(window: Window): string {
  const {windowSize: w, lookBackward: b, lookForward: f, causal, exactWindowsize} = window;
  const shared = window.sharedQk
    ? ' Shared keys: a token sees itself only if it sees nothing else.'
    : '';
  if (exactWindowsize) {
    const count = causal ? `${b} · ${w} + 1 = ${b * w + 1}` : `(${b} + ${f}) · ${w} + 1 = ${(b + f) * w + 1}`; // prettier-ignore
    const reach = causal ? `${plural(b * w, 'token')} back` : `${plural(b * w, 'token')} back, ${f * w} forward`; // prettier-ignore
    return `Exact${causal ? ', causal' : ''}: at most ${reach}, and itself: ${count} keys.${shared}`;
  }
  const before = b > 0 ? `${plural(b, 'window')} before its own` : '';
  if (causal) {
    const most = (b + 1) * w;
    const count = w === 1 ? `${most}` : `${b * w + 1} to ${most}`;
    const whole = before && `${before} and `;
    return `Blocks, causal: ${whole}its own window up to itself: ${count} keys.${shared}`;
  }
  const after = f > 0 ? `${f === 1 && b > 0 ? '1' : plural(f, 'window')} after` : '';
  const around = [before && before.replace(' its own', ''), after].filter(Boolean).join(', ');
  const own = `its own window${around && `, ${around}`}`;
  return `Blocks: ${own}: (1 + ${b} + ${f}) · ${w} = ${contextOf(window)} keys.${shared}`;
}

/** A character as one says it. */
export function named(character: string): string {
  if (character === ' ') return 'a space';
  if (character === '\n') return 'a line break';
  return `“${character}”`;
}

/** How many keys query i would see in a text without ends. */
function usualCount(window: Window, i: number): number {
  const all = back(window, i) + 1 + ahead(window, i);
  return all - (window.sharedQk && all > 1 ? 1 : 0);
}

function back({windowSize: w, lookBackward: b, exactWindowsize}: Window, i: number): number {
  return b * w + (exactWindowsize ? 0 : i % w);
}

function ahead(window: Window, i: number): number {
  const {windowSize: w, lookForward: f, causal, exactWindowsize} = window;
  if (causal) return 0;
  return f * w + (exactWindowsize ? 0 : w - 1 - (i % w));
}

export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Which key a head looks at most. */
export function headSentence(
  {layer, head}: {layer: number; head: number},
  text: ArrayLike<string>,
  i: number,
  row: ArrayLike<number>,
): string {
  const most = Array.from(row).reduce((best, weight, j) => (weight > row[best] ? j : best), 0);
  const ago = i - most;
  const where = ago === 0 ? 'itself' : `${named(text[most])}, ${plural(Math.abs(ago), 'character')} ${ago > 0 ? 'before' : 'after'} it`; // prettier-ignore
  const share = `${Math.round(100 * row[most])} %`;
  return `Head ${head + 1} of block ${layer + 1}: ${named(text[i])} looks most at ${where}, with ${share} of its attention.`;
}

/** How to read the bands. */
export function bandSentence({back, ahead}: {back: number; ahead: number}): string {
  const before = back > 0 ? `at the top the key ${plural(back, 'character')} before it, ` : '';
  const itself = ahead > 0 ? 'then itself, ' : 'at the foot itself';
  const after = ahead > 0 ? `at the foot the key ${plural(ahead, 'character')} after it` : '';
  return `A column for each query: ${before}${itself}${after}. Stronger where it looks more.`;
}
