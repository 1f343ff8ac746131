/** One call of the gradient's kernels. */
import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';

import type {FusedGradInputs, KernelAttrs} from '../../../src/attention/fused';
import type {Problem} from '../../../src/attention/problem';
import type {WebGpuBackend} from '../backend';
import {BackwardVariant, backwardVariantOf} from './tile';
import {BIAS_BINDINGS, SLOTS, biasGradientText} from './bias';
import {KEY_BINDINGS} from './keys';
import {QUERY_BINDINGS} from './queries';
import {gradientText} from './text';
import {THREADS, prepareBindings, prepareText} from './prepare';
import {run} from '../run';
import {Bound, bind, makeTensor, within} from '../tensors';
import {Variant, pairsOfHead, tileOf, variantOf} from '../forward/tile';

export const backward: KernelFunc = ({inputs, attrs, backend}) => {
  const gpu = backend as WebGpuBackend;
  const told = attrs as unknown as KernelAttrs;
  const {problem: p} = told;
  const given = inputs as unknown as FusedGradInputs;
  return within(gpu, (hold) => {
    const bound = bind(gpu, given, told, hold);
    const make = (shape: number[]) => hold(makeTensor(gpu, shape));
    const rows = p.batch * p.heads * p.length;
    const biases = Math.ceil((given.bias ? sizeOf(given.bias) : 0) / 4);
    const fours = rows + biases + Math.ceil(bound.angles / 4);
    Object.assign(bound.facts, {biasesAt: 4 * rows, anglesAt: 4 * (rows + biases)});
    const between = {info: make([rows && fours, 4]), balance: make([rows, 2])};
    const results: Record<string, TensorInfo> = {
      dq: make(given.q.shape),
      dk: make(given.k.shape),
      dv: make(given.v.shape),
    };
    if (given.bias) results.dbias = hold(biasGradient(gpu, given.bias.shape, rows));
    const {angles: tables} = bound.tensors;
    Object.assign(bound.tensors, {tables, stats: given.softmaxStats, ...between, ...results});

    const variant = variantOf(p, tileOf(p));
    prepare(gpu, bound, variant, fours);
    for (const of of ['queries', 'keys'] as const) gradientsOf(of, gpu, bound, variant, p);
    if (given.bias) gradientOfBias(gpu, bound, variant, p);
    return Object.values(results);
  });
};

/** Where there are no tokens, nobody writes it. */
function biasGradient(backend: WebGpuBackend, shape: number[], rows: number): TensorInfo {
  if (rows > 0) return makeTensor(backend, shape);
  return backend.makeTensorInfo(shape, 'float32', new Float32Array(sizeOf({shape})));
}

function prepare(backend: WebGpuBackend, bound: Bound, variant: Variant, fours: number): void {
  const {layout, rotary, extras} = variant;
  run(backend, {
    key: `prepare ${layout} ${rotary} ${extras}`,
    make: () => ({
      bindings: prepareBindings(variant),
      written: ['info'],
      text: prepareText(variant),
    }),
    ...bound,
    workgroups: bound.facts.length === 0 ? 0 : Math.ceil(fours / THREADS),
    operations: 2 * fours * bound.facts.valueDim,
  });
}

function gradientsOf(
  of: BackwardVariant['of'],
  backend: WebGpuBackend,
  bound: Bound,
  shared: Variant,
  p: Problem,
): void {
  const {maxComputeWorkgroupStorageSize} = backend.device.limits;
  const variant = backwardVariantOf(p, of, shared, maxComputeWorkgroupStorageSize);
  const bindings = of === 'queries' ? QUERY_BINDINGS : KEY_BINDINGS;
  const heads = p.batch * p.heads;
  run(backend, {
    key: JSON.stringify(variant),
    make: () => ({
      bindings,
      written: bindings.slice(0, 2),
      text: gradientText(variant),
    }),
    ...bound,
    workgroups: heads * Math.ceil(p.length / variant.tile.own),
    operations: 4 * heads * pairsOfHead(p) * (p.headDim + p.valueDim),
  });
}

function gradientOfBias(backend: WebGpuBackend, bound: Bound, variant: Variant, p: Problem): void {
  const {layout, rotary, tile} = variant;
  const fours = Math.ceil(p.context / SLOTS);
  run(backend, {
    key: `bias ${layout} ${rotary} ${tile.queries}`,
    make: () => ({
      bindings: BIAS_BINDINGS,
      written: ['dbias'],
      text: biasGradientText(variant),
    }),
    ...bound,
    workgroups: p.batch * p.heads * p.length === 0 ? 0 : p.biasHeads * p.windowSize * fours,
    operations: 2 * p.batch * p.heads * pairsOfHead(p) * (p.headDim + p.valueDim),
  });
}

function sizeOf({shape}: Pick<TensorInfo, 'shape'>): number {
  return shape.reduce((product, size) => product * size, 1);
}
