/**
 * A long text, token by token: what a step takes and what is kept, early and late.
 *
 *     npx tsx bench/decode.ts --backend wasm --histories 1000,100000,1000000
 *
 * A fresh model says one token after another, each the likeliest after those before, up to the
 * longest history. You will see for each history what the steps before it took, 1000 of them at the
 * most (the median, and the tenth and ninetieth of a hundred), and what memory there is: tensors and
 * their bytes, by TF.js's count, the memory of the wasm backend, and the process as a whole.
 */
import * as tf from '@tensorflow/tfjs';
import {Command} from 'commander';
import {createDecoder, localTransformer, registerFasterKernels} from 'tfjs-local-attention';

import {Backend, CPU_BACKENDS} from './backend';
import {listOf, run, wholeNumber, wholeNumbers} from './flags';
import {machine} from './machine';
import {start} from './start';

interface Flags {
  backend: Backend[];
  histories: number[];
  dim: number;
  depth: number;
  heads: number;
  window: number;
  streams: number;
  blocks?: boolean;
}

const MOST_TIMED = 1000;
/** Steps of another text until the engine has compiled all. */
const WARM_UP = 5000;
const VOCABULARY = 256;

const command = new Command('npx tsx bench/decode.ts')
  .description('Measure a decoder at several lengths of its past.')
  .option('--backend <names>', `of ${CPU_BACKENDS.join(', ')}`, listOf(CPU_BACKENDS), ['wasm'])
  .option('--histories <numbers>', 'in tokens', wholeNumbers, [1000, 100_000])
  .option('--dim <n>', 'size of a token', wholeNumber, 64)
  .option('--depth <n>', 'blocks', wholeNumber, 2)
  .option('--heads <n>', 'of size 64', wholeNumber, 2)
  .option('--window <n>', 'in tokens', wholeNumber, 64)
  .option('--streams <n>', 'residual streams', wholeNumber, 1)
  .option('--blocks', 'whole windows, in place of the exact one');

run(command, async () => {
  const flags = command.opts<Flags>();
  console.log(machine());
  for (const backend of flags.backend) {
    await start(backend, 1);
    registerFasterKernels();
    console.log(`\n${backend}: dim ${flags.dim}, depth ${flags.depth}, window ${flags.window}\n`);
    console.log('| history | ms a step (10 %, 90 %) | tensors | MB of them | wasm MB | RSS MB |');
    console.log('| ---: | ---: | ---: | ---: | ---: | ---: |');
    for (const row of rowsOf(flags)) console.log(row);
  }
});

function* rowsOf(flags: Flags): Generator<string> {
  const {dim, depth, heads, window, streams, histories, blocks} = flags;
  const model = localTransformer({
    ...{numTokens: VOCABULARY, absolutePositions: false, dim, depth, heads, seed: 1},
    ...{localAttnWindowSize: window, numResidualStreams: streams, exactWindowsize: !blocks},
  });
  let token = 0;
  const warm = createDecoder(model);
  while (warm.position < WARM_UP) token = next(warm, token);
  warm.dispose();
  const decoder = createDecoder(model);
  for (const history of [...histories].sort((a, b) => a - b)) {
    const from = Math.max(history - MOST_TIMED, decoder.position);
    while (decoder.position < from) token = next(decoder, token);
    const times: number[] = [];
    while (decoder.position < history) {
      const begin = performance.now();
      token = next(decoder, token);
      times.push(performance.now() - begin);
    }
    yield rowOf(history, times);
  }
  decoder.dispose();
  model.dispose();
}

/** The likeliest token after this one. */
function next(decoder: ReturnType<typeof createDecoder>, token: number): number {
  const logits = tf.tidy(() => decoder.feed([token]).dataSync());
  return logits.indexOf(Math.max(...logits));
}

function rowOf(history: number, times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))].toFixed(3);
  const {numTensors, numBytes} = tf.memory();
  const {wasm} = tf.backend() as unknown as {wasm?: {HEAPU8: Uint8Array}};
  const heap = wasm ? mb(wasm.HEAPU8.byteLength) : '';
  const time = `${at(0.5)} (${at(0.1)}, ${at(0.9)})`;
  return `| ${history} | ${time} | ${numTensors} | ${(numBytes / 1e6).toFixed(6)} | ${heap} | ${mb(process.memoryUsage().rss)} |`; // prettier-ignore
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
