/** Registers the kernels of every machine; those of backends that are not there harm nobody. */
import {register} from '../src/attention/fused';
import {cpu} from './cpu';
import {wasm} from './wasm';
import {registerUnsortedSegmentSum} from './tfjs/unsorted_segment_sum';

export {ready} from './program/threads/ready';
export type {ReadyOptions} from './program/threads/ready';

for (const machine of [cpu, wasm]) register(machine);
registerUnsortedSegmentSum();
