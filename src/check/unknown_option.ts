import {LONGEST_SHOWN, show} from './errors';

/** What is wrong with a name that is not among `known`, in words that end a sentence. */
export function unknownOption(given: string, known: readonly string[]): string {
  const name = given.slice(0, LONGEST_SHOWN); // all known are shorter, and comparing takes time
  const near = known
    .map((candidate) => ({candidate, edits: editDistance(plain(name), plain(candidate))}))
    .sort((a, b) => a.edits - b.edits)[0];
  const close = near.edits <= Math.max(2, name.length / 4);
  const meant = close ? near.candidate : known.find((candidate) => overlap(name, candidate));
  const remedy = meant ? `did you mean '${meant}'?` : `known are ${known.join(', ')}`;
  return `unknown option ${show(given)} (${remedy})`;
}

// window_size, WindowSize and windowsize are the same mistake
function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

// window for windowSize, numHeads for heads
function overlap(name: string, candidate: string): boolean {
  const [short, long] = [plain(name), plain(candidate)].sort((a, b) => a.length - b.length);
  return short.length >= 4 && long.includes(short);
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({length: b.length + 1}, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, change));
    }
    row = next;
  }
  return row[b.length];
}
