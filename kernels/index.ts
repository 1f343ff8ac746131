/** Registers the kernels of every backend; those of backends that are not there harm nobody. */
import * as tf from '@tensorflow/tfjs';

import {registerFused} from '../src/attention/fused';
import {cpu} from './cpu';
import {tensorflow} from './tensorflow';
import {wasm} from './wasm';
import {webgl} from './webgl';
import {webgpu} from './webgpu';
import {registerHeads} from './tfjs/heads';
import {registerLayerNorm} from './tfjs/layer_norm';
import {registerTokenRows} from './tfjs/token_rows';
import {registerUnsortedSegmentSum} from './tfjs/unsorted_segment_sum';

export {ready} from './program/threads/ready';
export type {ReadyOptions} from './program/threads/ready';
export {registerFasterKernels} from './tfjs/register';
export type {Replaced, ReplacedGradient, ReplacedKernel} from './tfjs/register';

/** Prints each shader of ours when it is compiled. */
tf.env().registerFlag('LOCAL_ATTENTION_SHOW_SHADER', () => false);

for (const backend of [cpu, wasm, tensorflow, webgl, webgpu]) registerFused(backend);
registerHeads();
registerLayerNorm();
registerTokenRows();
registerUnsortedSegmentSum();
