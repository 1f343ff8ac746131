/** The test files in a page. `runFile` answers once all tests of a file have run. */
import * as tf from '@tensorflow/tfjs';
import {startTests, type File, type Task} from '@vitest/runner';

import {CONFIG, restoreAllMocks} from './jest';
import {SETTINGS} from './settings';
import {eachTest} from '../support/each_test';
import {useBackend} from './backends';

/* eslint-disable @typescript-eslint/no-require-imports -- a file registers its tests when it is asked for */
const FILES: Record<string, () => void> = {
  'oracle/cases': () => require('../oracle/cases.test'),
  'oracle/pytorch': () => require('../oracle/pytorch.test'),
  'property/random': () => require('../property/random.test'),
  'property/decode': () => require('../property/decode.test'),
  'property/laws': () => require('../property/laws.test'),
  'property/positions': () => require('../property/positions.test'),
  'property/dropout': () => require('../property/dropout.test'),
  'property/hidden': () => require('../property/hidden.test'),
  'property/reach': () => require('../property/reach.test'),
  'property/far_context': () => require('../property/far_context.test'),
  'property/rotary': () => require('../property/rotary.test'),
  'gradient/first_order': () => require('../gradient/first_order.test'),
  'gradient/second_order': () => require('../gradient/second_order.test'),
  'gradient/sure_rows': () => require('../gradient/sure_rows.test'),
  'gradient/use': () => require('../gradient/use.test'),
  'models/generate': () => require('../models/generate.test'),
  'verify/right': () => require('../verify/right.test'),
  training: () => require('../training.test'),
  leaks: () => require('../leaks.test'),
  'webgl/targets': () => require('../webgl/targets.test'),
  'webgl/textures': () => require('../webgl/textures.test'),
  'webgl/variants': () => require('../webgl/variants.test'),
};

/**
 * Files of ever new sizes, about fused kernels or tensors left: for them TF.js's webgl need not compile anew.
 * Not where much is decoded: what it then compiled for other sizes gives zeros in the composite.
 */
const OF_ANY_SIZE = /^(property(?!\/decode)|leaks)/;

export interface Report {
  passed: number;
  /** The names of those that failed, with their messages. */
  failed: string[];
  log: string[];
}

/** What the backend computes with, or why it does not start. */
async function start(): Promise<{device: string} | {reason: string}> {
  try {
    await useBackend(SETTINGS.backend);
    return {device: deviceOf(SETTINGS.backend)};
  } catch (error) {
    return {reason: String(error)};
  }
}

function deviceOf(backend: string): string {
  if (backend === 'webgpu') {
    const {adapterInfo} = tf.backend() as unknown as {adapterInfo: GPUAdapterInfo};
    return `${adapterInfo.vendor} ${adapterInfo.architecture}`;
  }
  if (backend !== 'webgl') return `${navigator.hardwareConcurrency} processors`;
  const {gpgpu} = tf.backend() as unknown as {gpgpu: {gl: WebGL2RenderingContext}};
  const {gl} = gpgpu;
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

async function runFile(name: string): Promise<Report> {
  const log: string[] = [];
  console.log = (...words) => void log.push(words.join(' '));
  if (SETTINGS.tests) CONFIG.testNamePattern = new RegExp(SETTINGS.tests);
  tf.env().set('WEBGL_USE_SHAPES_UNIFORMS', OF_ANY_SIZE.test(name));
  const importFile = () => {
    eachTest();
    FILES[name]();
  };
  const [file] = await startTests([name], {config: CONFIG, importFile});
  restoreAllMocks(); // Jest gives each file globals of its own
  return {...counted(file), log};
}

function counted(file: File): Pick<Report, 'passed' | 'failed'> {
  const failed: string[] = [];
  let passed = 0;
  const visit = (task: Task, trail: string) => {
    const {errors = [], state} = task.result ?? {};
    const messages = errors.map(({message}) => message);
    if (state === 'fail' && messages.length > 0) failed.push(`${trail}: ${messages.join('; ')}`);
    if (task.type === 'test') passed += +(state === 'pass');
    else for (const one of task.tasks) visit(one, `${trail} ${one.name}`.trim());
  };
  visit(file, '');
  return {passed, failed};
}

Object.assign(globalThis, {process: {env: SETTINGS.environment}, start, runFile});
