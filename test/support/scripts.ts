/** What pages load by script tags: TF.js, its backends, and the script that ships. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {SCRIPT} from './browser';
import type {Resource} from './server';

const TFJS = join(__dirname, '../../node_modules/@tensorflow');
const WASM = join(TFJS, 'tfjs-backend-wasm/dist');

export const SCRIPTS: Record<string, string> = {
  '/tf.js': join(TFJS, 'tfjs/dist/tf.min.js'),
  '/wasm.js': join(WASM, 'tf-backend-wasm.min.js'),
  '/webgpu.js': join(TFJS, 'tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js'),
  '/ours.js': SCRIPT,
};

/** A script, or a file of TF.js's wasm, at its path; or null. */
export function scriptAt(path: string): Resource | null {
  if (path in SCRIPTS) return {type: 'text/javascript', body: readFileSync(SCRIPTS[path])};
  if (!/^\/[\w-]+\.wasm$/.test(path)) return null;
  return {type: 'application/wasm', body: readFileSync(WASM + path)};
}
