/**
 * Which keys a query sees, in each mode. You will see four pictures side by side, each with a row
 * for each query and a column for each key.
 *
 * Nothing here knows the rules: with queries and keys of zeros, every visible key gets the same
 * weight, and with one-hot values the output of localAttention is the weights themselves.
 */
import * as tf from '@tensorflow/tfjs';
import {LocalAttentionArgs, localAttention} from 'tfjs-local-attention';

const WINDOW = 3;
const TOKENS = 12;

/** Whether query i sees key j, as [i][j]. */
function visible(options: Omit<LocalAttentionArgs, 'windowSize'>): boolean[][] {
  const weights = tf.tidy(() => {
    const zeros = tf.zeros([TOKENS, 2]);
    return localAttention(zeros, zeros, tf.eye(TOKENS), {windowSize: WINDOW, ...options});
  });
  const rows = weights.arraySync() as number[][];
  weights.dispose();
  return rows.map((row) => row.map((weight) => weight > 0));
}

function draw(seen: boolean[][]): string[] {
  return seen.map((row) =>
    row.map((sees, j) => (j > 0 && j % WINDOW === 0 ? ' ' : '') + (sees ? '#' : '.')).join(''),
  );
}

/** How many keys the queries of the middle windows see. */
function counts(seen: boolean[][]): string {
  const middle = seen.slice(WINDOW, -WINDOW).map((row) => row.filter(Boolean).length);
  const [least, most] = [Math.min(...middle), Math.max(...middle)];
  return least === most ? `${most} keys` : `${least} to ${most} keys`;
}

const modes = [
  {title: 'blocks', options: {}},
  {title: 'blocks, causal', options: {causal: true}},
  {title: 'exact', options: {exactWindowsize: true}},
  {title: 'exact, causal', options: {exactWindowsize: true, causal: true}},
].map(({title, options}) => ({title, seen: visible(options)}));

const columns = modes.map(({title, seen}) => [title, ...draw(seen), counts(seen)]);
const width = TOKENS + TOKENS / WINDOW - 1;
console.log(`windowSize ${WINDOW}, ${TOKENS} tokens\n`);
for (let line = 0; line < columns[0].length; line++) {
  console.log(columns.map((column) => column[line].padEnd(width)).join('    ').trimEnd()); // prettier-ignore
}
