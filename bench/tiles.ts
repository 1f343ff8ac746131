/**
 * W1 in either tile of the WebAssembly program, and the tile that is chosen, in some engines:
 *
 *     npx tsx bench/tiles.ts --nodes node,/opt/node24/bin/node,/opt/node26/bin/node
 *
 * You will see a row for each Node, and from 22 on another for V8's experimental 256-bit vectors: the
 * least milliseconds of some runs in turn, on `wasm`, one thread.
 */
import {spawnSync} from 'node:child_process';
import * as tf from '@tensorflow/tfjs';
import {Command} from 'commander';
import {localAttention, ready} from 'tfjs-local-attention';

import {speedOfCore} from './calibration';
import {run, wholeNumber} from './flags';
import {start} from './start';
import {tableOf} from './table';
import {WORKLOADS, inputsOf} from './workloads';

const FLAG = 'LOCAL_ATTENTION_WASM_TILE';
const REVECTORIZE = '--experimental-wasm-revectorize';
const TILES = ['narrow', 'wide'] as const;
const HEADER = ['', ...TILES.map((t) => `forward, ${t}`), ...TILES.map((t) => `training, ${t}`)];

const command = new Command('npx tsx bench/tiles.ts')
  .description('Measure both tiles of the WebAssembly program.')
  .option('--nodes <files>', 'of Node, with commas between', (text) => text.split(','))
  .option('--rounds <n>', 'runs of each', wholeNumber, 8);

run(command, async () => {
  const {nodes, rounds} = command.opts<{nodes?: string[]; rounds: number}>();
  if (!nodes) return console.log(JSON.stringify(await measure(rounds)));
  const engines = nodes.flatMap((node) => [
    {node, flags: [] as string[]},
    {node, flags: [REVECTORIZE]},
  ]);
  const rows = engines.flatMap(({node, flags}) => {
    const args = [...flags, '--import', 'tsx', __filename, '--rounds', String(rounds)];
    const {status, stdout} = spawnSync(node, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}); // prettier-ignore
    return status === 0 ? [JSON.parse(stdout) as string[]] : []; // Node 20 knows no such flag
  });
  console.log(tableOf([[...HEADER, 'core', 'chosen'], ...rows]));
});

/** The row of this engine. */
async function measure(rounds: number): Promise<string[]> {
  await start('wasm', 1);
  await ready({threads: 1});
  const chosen = tf.env().getString(FLAG);
  const {heads, n, d, w} = WORKLOADS.W1;
  const {q, k, v, dout} = inputsOf(WORKLOADS.W1);
  const inputs = [q, k, v].map((values) => tf.tensor(values, [heads, n, d]));
  const upstream = tf.tensor(dout, [heads, n, d]);
  const options = {windowSize: w, causal: true, useRotaryPosEmb: false, implementation: 'fused'} as const; // prettier-ignore
  const attend = (...[q, k, v]: tf.Tensor[]) => localAttention(q, k, v, options);
  const gradients = tf.grads(attend);
  const kinds = [() => [attend(...inputs)], () => gradients(inputs, upstream)];

  const least = kinds.map(() => TILES.map(() => Infinity));
  for (let round = 0; round < rounds; round++) {
    for (const [at, compute] of kinds.entries()) {
      for (const [tile, name] of TILES.entries()) {
        tf.env().set(FLAG, name);
        const begin = performance.now();
        tf.dispose(compute());
        least[at][tile] = Math.min(least[at][tile], performance.now() - begin);
      }
    }
  }
  const core = Math.max(...Array.from({length: 10}, speedOfCore));
  const {node, v8} = process.versions;
  const flags = process.execArgv.includes(REVECTORIZE) ? ', revectorize' : '';
  return [
    `Node ${node.split('.')[0]}, V8 ${v8.split('.', 2).join('.')}${flags}`,
    ...least.flat().map((ms) => `${ms.toPrecision(3)} ms`),
    `${core.toFixed(0)} GFLOP/s`,
    chosen,
  ];
}
