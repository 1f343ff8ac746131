/** out = softmax(scores) v and the statistics of each softmax, chunk by chunk of scores. */
import type {KernelFunc} from '@tensorflow/tfjs';

import {KernelAttrs, byName} from '../../src/attention/fused';
import {within} from './call';
import {chunksOf} from './chunks';
import {output, statisticsOutput} from './passes/finish';
import {mixInto, place, scoresOf, weightsOf} from './sequences';

export const forward: KernelFunc = ({inputs, attrs, backend}) => {
  const told = attrs as unknown as KernelAttrs;
  const {problem} = told;
  const given = byName(inputs, attrs);
  return within(backend, problem, (call) => {
    const {grids} = call.layout;
    const sequences = place(call, given, told);
    const {grid, chunks} = chunksOf(call.layout, call.device.maxSize);
    const scores = call.take(grid);
    const weights = call.take(grid);
    const statistics = call.take(grids.tile);
    const mixes = call.take(grids.out);
    for (const chunk of chunks) {
      scoresOf(call, sequences, chunk, scores, statistics);
      weightsOf(call, scores, statistics, chunk, weights, problem.dropout > 0);
      mixInto(call, mixes, weights, sequences.values, chunk);
    }
    const {batch, heads, length} = problem;
    const cells = {mixes, statistics};
    return [
      call.tensor(output, given.v.shape, {cells, fetches: 2}),
      call.tensor(statisticsOutput, [batch, heads, length, 2], {cells, fetches: 4}),
    ];
  });
};
