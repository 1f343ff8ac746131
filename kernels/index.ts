/** Registers the kernels of every backend; those of backends that are not there harm nobody. */
import {registerFused} from '../src/attention/fused';
import {cpu} from './cpu';
import {wasm} from './wasm';
import {registerUnsortedSegmentSum} from './tfjs/unsorted_segment_sum';

export {ready} from './program/threads/ready';
export type {ReadyOptions} from './program/threads/ready';

for (const backend of [cpu, wasm]) registerFused(backend);
registerUnsortedSegmentSum();
