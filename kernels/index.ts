/** Registers the kernels of every machine; those of backends that are not there harm nobody. */
import {register} from '../src/fused';
import {cpu} from './cpu';
import {wasm} from './wasm';
import {registerUnsortedSegmentSum} from './wasm/unsorted_segment_sum';

export {ready} from './wasm/ready';
export type {ReadyOptions} from './wasm/ready';

for (const machine of [cpu, wasm]) register(machine);
registerUnsortedSegmentSum();
