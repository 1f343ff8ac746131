/** Starts a backend of TF.js in Node, or says in a sentence why it does not start. */
import * as tf from '@tensorflow/tfjs';

import {installGpu} from './dawn';

process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // no greetings from native TensorFlow

const PACKAGES = {
  cpu: [],
  wasm: ['@tensorflow/tfjs-backend-wasm'],
  tensorflow: ['@tensorflow/tfjs-node'],
  webgpu: ['webgpu', '@tensorflow/tfjs-backend-webgpu'],
  webgl: [],
};

type Dawn = typeof import('webgpu');

export type Name = keyof typeof PACKAGES;

export const NAMES = Object.keys(PACKAGES) as Name[];

/** Makes `name` the current backend. What it returns lets the process end. */
export async function start(name: Name): Promise<() => void> {
  const refuse = (reason: string): never => {
    throw new Error(`backend '${name}' does not start: ${reason}.`);
  };
  if (name === 'webgl') refuse('webgl is not in Node; call verify() in a page');
  tf.enableProdMode(); // no advice on stderr
  for (const wanted of PACKAGES[name]) {
    try {
      const loaded: unknown = await import(wanted);
      if (wanted === 'webgpu' && !(await installGpu(loaded as Dawn, globalThis).requestAdapter())) {
        refuse('Dawn finds no GPU; VK_ICD_FILENAMES names the driver, be it that of SwiftShader');
      }
    } catch (error) {
      const {code, message} = error as NodeJS.ErrnoException;
      const absent = /MODULE_NOT_FOUND$/.test(code ?? '') && message.includes(wanted);
      if (!absent) throw error;
      refuse(`install it with npm install ${wanted}`);
    }
  }
  if (!(await tf.setBackend(name))) refuse('TF.js cannot initialise it here');
  return () => tf.removeBackend(name);
}
