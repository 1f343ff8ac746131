/** A kernel of the program, for one part of a call after the other. */
import type {KernelFunc, NamedAttrMap, TensorInfo} from '@tensorflow/tfjs';

import type {KernelAttrs} from '../../src/attention/fused';
import type {Problem} from '../../src/attention/problem';
import {PrivatePlace, Store, sizeOf} from '../program/memory';
import type {Enter} from '../program/run';
import {Part, partsOf, sequencesOf, spanOf} from './parts';
import {Cut, NodeBackend, cut, read} from './values';

type Inputs = Record<string, TensorInfo>;

/** A tensor that a kernel gives. */
export interface Result {
  readonly shape: number[];
  /** Of all parts together; else each has its own. */
  readonly isSum?: boolean;
}

/** A kernel of the program, and its tensors. */
export interface Kernel {
  of(enter: Enter): KernelFunc;
  /** Of all its tensors together, for each token of a sequence. */
  values(p: Problem): number;
  results(p: Problem, inputs: Inputs): Result[];
}

export function inParts({of, values, results}: Kernel): KernelFunc {
  return ({inputs, attrs, backend}) => {
    const node = backend as NodeBackend;
    const {problem: p, names} = attrs as unknown as KernelAttrs;
    const nameOf = (key: string) => names[Number(key)] ?? key; // forward they come as a list
    const entries = Object.entries(inputs as Inputs);
    const named = Object.fromEntries(entries.map(([key, x]) => [nameOf(key), x]));
    const given = results(p, named).map((result) => {
      return {...result, values: new Float32Array(sizeOf(result.shape))};
    });

    for (const part of partsOf(p, values(p))) {
      const cuts = entries.map(([key, x]) => {
        return [key, cut(x, spanOf(x.shape, rowsOf(nameOf(key), x, p), p, part))];
      });
      const enter = () => new PrivatePlace(storeOf(node, p, part, given));
      const told = {...attrs, problem: part.problem} as unknown as NamedAttrMap;
      of(enter)({inputs: Object.fromEntries(cuts), attrs: told, backend});
    }
    return given.map(({shape, values}) => tensorOf(shape, node.write(values, shape, 'float32')));
  };
}

function rowsOf(name: string, {shape}: TensorInfo, p: Problem): number {
  if (name === 'bias') return 1;
  return name === 'mask' ? shape[0] : sequencesOf(p);
}

/** Reads what is of a part, and puts what comes of it to where it belongs in the results. */
function storeOf(
  node: NodeBackend,
  p: Problem,
  part: Part,
  results: readonly (Result & {values: Float32Array})[],
): Store {
  let made = 0;
  return {
    read: (tensor) => read(node, tensor as Cut),
    make(shape, values) {
      const {isSum, values: all, shape: ofAll} = results[made++];
      if (isSum) for (let i = 0; i < all.length; i++) all[i] += values[i];
      else all.set(values, spanOf(ofAll, sequencesOf(p), p, part).from);
      return tensorOf(shape, {}); // nobody asks for it
    },
    drop() {},
  };
}

function tensorOf(shape: number[], dataId: object): TensorInfo {
  return {dataId, shape, dtype: 'float32'};
}
