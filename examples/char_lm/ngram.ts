/** Characters to predict, and the character before each. */
export interface Pairs {
  previous: Int32Array;
  next: Int32Array;
}

/** Bits per character of guessing blindly among `size` characters. */
export function uniformBits(size: number): number {
  return Math.log2(size);
}

/** Bits per character of `next` under the character counts of `train`, each plus one. */
export function unigramBits(train: Int32Array, size: number, {next}: Pairs): number {
  const counts = new Float64Array(size).fill(1);
  for (const id of train) counts[id]++;
  const total = train.length + size;
  return mean(next, (id) => -Math.log2(counts[id] / total));
}

/** Bits per character of `next` given `previous`, under the pair counts of `train`, each plus one. */
export function bigramBits(train: Int32Array, size: number, {previous, next}: Pairs): number {
  const counts = new Float64Array(size * size).fill(1);
  const totals = new Float64Array(size).fill(size);
  for (let i = 1; i < train.length; i++) {
    counts[train[i - 1] * size + train[i]]++;
    totals[train[i - 1]]++;
  }
  return mean(next, (id, i) => -Math.log2(counts[previous[i] * size + id] / totals[previous[i]]));
}

function mean(ids: Int32Array, bits: (id: number, i: number) => number): number {
  return ids.reduce((sum, id, i) => sum + bits(id, i), 0) / ids.length;
}
