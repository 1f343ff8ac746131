/**
 * A kernel of ours among TF.js's own: runWebGPUProgram compiles a stub, takes the pipeline from the
 * program, which is ours, and binds and records it like any other.
 */
import type {TensorInfo} from '@tensorflow/tfjs';

import {FACTS, FRACTIONS, Fact} from '../../src/attention/facts';
import type {Program, Uniform, WebGpuBackend} from './backend';
import {Kernel, pipelineOf} from './pipelines';
import {OWN} from './wgsl/call';

export type Facts = Record<Fact, number> &
  Record<Exclude<(typeof OWN)[number], 'start' | 'stop'>, number>;

export interface Work {
  /** Names the text among all of ours. */
  key: string;
  make(): Kernel;
  /** By the names of the kernel's bindings. */
  tensors: Record<string, TensorInfo>;
  facts: Facts;
  workgroups: number;
  /** Multiplications and additions of all of them, at the most. */
  operations: number;
}

/**
 * Multiplications and additions of one dispatch: at 50 GFLOP/s, which a phone has, it ends long
 * before a watchdog comes.
 */
export const DISPATCH = {longest: 1e10};

export function run(backend: WebGpuBackend, work: Work): void {
  const {workgroups} = work;
  if (workgroups === 0) return;
  const {pipeline, kernel} = pipelineOf(backend.device, work.key, work.make);
  const tensors = kernel.bindings.map((name) => flat(work.tensors[name]));
  const parts = Math.min(workgroups, Math.ceil(work.operations / DISPATCH.longest));
  const share = Math.ceil(workgroups / Math.max(parts, 1));
  for (let start = 0; start < workgroups; start += share) {
    const stop = Math.min(start + share, workgroups);
    const program = programOf(pipeline, tensors.length - 1, stop - start);
    const uniforms = uniformsOf({...work.facts, start, stop});
    backend.runWebGPUProgram(program, tensors.slice(1), 'float32', uniforms, tensors[0]);
    if (stop < workgroups) submit(backend);
  }
}

/** Rank 1: TF.js tells a shader the shapes and strides of all tensors, and those are two numbers then. */
function flat({dataId, shape}: TensorInfo): TensorInfo {
  return {dataId, shape: [shape.reduce((a, b) => a * b, 1)], dtype: 'float32'};
}

/** A program whose pipeline is ours; `taken` is called whenever TF.js asks for it. */
export function programOf(
  pipeline: GPUComputePipeline,
  inputs: number,
  workgroups: number,
  taken?: () => void,
): Program {
  return {
    variableNames: Array.from({length: inputs}, (_, i) => `x${i}`),
    outputShape: [1],
    dispatchLayout: {x: [0]},
    dispatch: [workgroups, 1, 1],
    workgroupSize: [1, 1, 1],
    shaderKey: 'LocalAttention',
    uniforms: '',
    getUserCode: () => 'fn main(i: i32) {}',
    get pipeline() {
      taken?.();
      return pipeline;
    },
    set pipeline(_stub) {},
  };
}

/** What is not told is 0. */
export function uniformsOf(values: Partial<Facts> & {start?: number; stop?: number}): Uniform[] {
  return [...FACTS, ...OWN].map((name) =>
    FRACTIONS.includes(name as Fact)
      ? {type: 'float32', data: [values[name] ?? 0]}
      : {type: 'uint32', data: [(values[name] ?? 0) >>> 0]},
  );
}

function submit(backend: WebGpuBackend): void {
  backend.endComputePassEncoder();
  backend.ensureCommandEncoderReady();
  backend.submitQueue();
}
