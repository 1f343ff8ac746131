import {Candidate, Skipped} from '../../candidate';
import {peer} from './installed';
import type {Jax} from './jax_library';
import {jaxCandidate} from './jax_program';
import {Task} from './task';

/** jax-js in Node, on its WebAssembly device. */
export async function jax(task: Task): Promise<Candidate> {
  if (task.threads > 1) throw new Skipped('it has one thread in Node');
  globalThis.navigator ??= {userAgent: 'node'} as Navigator; // it reads that, and Node 20 has none
  return jaxCandidate(peer<Jax>('@jax-js/jax'), 'wasm', task);
}
