/**
 * Products of matrices after `registerFasterKernels`, beside TF.js's own:
 *
 *     npm run bench:product -- --sizes 1024 --threads 1,2
 *
 * You will see a row for each size n of n × n by n × n, with each of the four transpositions: the
 * time, its share of what 128-bit multiplications and additions can do on one core at that moment, and
 * how many times as long TF.js takes. Where that is 1 the product is left to TF.js.
 */
import * as tf from '@tensorflow/tfjs';
import {Command} from 'commander';
import {ready, registerFasterKernels} from 'tfjs-local-attention';

import type {Candidate} from './candidate';
import {listOf, run, wholeNumber, wholeNumbers} from './flags';
import {machine} from './machine';
import {measure} from './measure';
import {start} from './start';
import {tableOf} from './table';

interface Flags {
  backend: ('wasm' | 'cpu')[];
  sizes: number[];
  threads: number[];
  rounds: number;
  json?: boolean;
}

interface Row {
  backend: string;
  size: number;
  transposed: string;
  threads: number;
  medianMs: number;
  minMs: number;
  /** Of the limit of one core, by the median. */
  shareOfLimit: number;
  /** TF.js's time over ours. */
  gain: number;
}

type Operands = {a: tf.Tensor; b: tf.Tensor; transposeA: boolean; transposeB: boolean};

const TRANSPOSED: Record<string, [boolean, boolean]> = {
  none: [false, false],
  B: [false, true],
  A: [true, false],
  both: [true, true],
};
const LARGEST_ERROR = 1e-6; // of a product of n numbers from −1 to 1, for each of them

const command = new Command('npm run bench:product --')
  .description('Measure products of matrices beside those of TF.js.')
  .option('--backend <names>', 'of wasm, cpu', listOf(['wasm', 'cpu'] as const), ['wasm'])
  .option('--sizes <numbers>', 'rows, columns and steps', wholeNumbers, [16, 32, 64, 128, 256])
  .option('--threads <numbers>', 'how many threads', wholeNumbers, [1])
  .option('--rounds <n>', 'rounds that count', wholeNumber, 5)
  .option('--json', 'print the rows as one JSON array in the last line');

run(command, async () => {
  const {backend: backends, sizes, threads, rounds, json} = command.opts<Flags>();
  console.log(machine());
  const rows: Row[] = [];
  for (const backend of backends) {
    await start(backend, 1);
    const theirs = tf.getKernel('BatchMatMul', backend).kernelFunc;
    registerFasterKernels();
    const ours = tf.getKernel('BatchMatMul', backend).kernelFunc;
    for (const count of threads) {
      await ready({threads: count});
      for (const size of sizes) {
        for (const [transposed, transposes] of Object.entries(TRANSPOSED)) {
          const operands = operandsOf(size, transposes);
          check(ours, operands, size);
          const pair = [candidate('ours', ours, operands), candidate('TF.js', theirs, operands)];
          const estimates = [await pair[0].time(1), await pair[1].time(1)];
          const {timings, limit} = await measure(pair, estimates, rounds);
          const [{medianMs, minMs}, {ratio}] = timings;
          const shareOfLimit = (2 * size ** 3) / medianMs / 1e6 / limit;
          rows.push({backend, size, transposed, threads: count, medianMs, minMs, shareOfLimit, gain: ratio!}); // prettier-ignore
          tf.dispose([operands.a, operands.b]);
        }
      }
    }
    await ready({threads: 1});
  }
  const cells = rows.map((row) => [
    `${row.backend} ${row.size}`,
    row.transposed,
    `${row.threads}`,
    row.medianMs.toPrecision(3),
    `${(100 * row.shareOfLimit).toFixed(0)} %`,
    `${row.gain.toPrecision(3)}×`,
  ]);
  console.log(`\n${tableOf([['n', 'transposed', 'threads', 'ms', 'of one core', 'TF.js'], ...cells])}`); // prettier-ignore
  if (json) console.log(JSON.stringify(rows));
});

function operandsOf(size: number, [transposeA, transposeB]: [boolean, boolean]): Operands {
  const make = (seed: number) => tf.randomUniform([size, size], -1, 1, 'float32', seed);
  return {a: make(1), b: make(2), transposeA, transposeB};
}

/** The product of a kernel, which the caller drops. */
function multiply(kernel: tf.KernelFunc, {a, b, transposeA, transposeB}: Operands): tf.Tensor {
  const call = {inputs: {a, b}, attrs: {transposeA, transposeB}, backend: tf.backend()};
  return tf.engine().makeTensorFromTensorInfo(kernel(call) as tf.TensorInfo);
}

/** Throws where a row is not what float64 says: a wrong product may be a fast one. */
function check(kernel: tf.KernelFunc, operands: Operands, size: number): void {
  const c = multiply(kernel, operands);
  const [a, b, values] = [operands.a, operands.b, c].map((x) => x.dataSync());
  c.dispose();
  const i = size >> 1;
  for (let j = 0; j < size; j++) {
    let sum = 0;
    for (let t = 0; t < size; t++) {
      sum += a[operands.transposeA ? t * size + i : i * size + t] * b[operands.transposeB ? j * size + t : t * size + j]; // prettier-ignore
    }
    const error = Math.abs(values[i * size + j] - sum);
    if (!(error < LARGEST_ERROR * size)) throw new Error(`the product of ${size} is ${error} away from float64.`); // prettier-ignore
  }
}

function candidate(name: string, kernel: tf.KernelFunc, operands: Operands): Candidate {
  return {
    name,
    async time(calls) {
      const begin = performance.now();
      for (let call = 0; call < calls; call++) multiply(kernel, operands).dispose();
      return (performance.now() - begin) / calls;
    },
    results: () => Promise.resolve([]),
    peakMiB: () => null,
    close() {},
  };
}
