import {Skipped} from '../candidate';
import type {Conversation} from '../candidates/peers/conversation';
import {isGpu} from '../backend';
import type {GpuCandidate} from '../gpu/candidate';
import {chromium} from '../gpu/chromium';
import type {ModelCase} from './measure';
import {node} from './node';
import {pytorch} from './pytorch';
import {TFJS} from './tfjs';
import type {Trained} from './training';

/** A candidate that has taken the first steps. */
export interface Loaded extends Trained {
  name: string;
  conversation: Conversation;
  /** The GPU, where it is one that computes. */
  device?: string;
  runtime: string;
  /** Of a step: kernels of TF.js, and dispatches or draws. */
  kernels: number | null;
  dispatches: number | null;
}

type Makers = Record<string, () => Promise<Conversation>>;

export function makersOf({model, backend, host, threads, peers}: ModelCase): Makers {
  const place = async () => (host === 'chromium' ? chromium() : node());
  const withPeers = peers && !isGpu(backend);
  // elsewhere TF.js as it is has one thread: its time is that of the row for one
  const fusedAlone = withPeers && threads > 1 && backend !== 'tensorflow';
  const names = fusedAlone ? ['fused'] : Object.keys(TFJS);
  const own = Object.fromEntries(names.map((name) => [name, place]));
  if (!withPeers) return own;
  return {...own, pytorch: () => pytorch(model, threads), 'jax-js': place};
}

/** Lets it take the first steps. @throws if it cannot */
export async function load(
  name: string,
  conversation: Conversation,
  {model, backend, threads}: ModelCase,
): Promise<Loaded> {
  const message = {op: 'load', candidate: name, model: model.name, backend, threads};
  try {
    const {skip, ...trained} = await conversation.ask(message);
    if (skip) throw new Skipped(String(skip));
    const unknown = {runtime: '', kernels: null, dispatches: null};
    return {...unknown, ...(trained as unknown as Trained), name, conversation};
  } catch (error) {
    conversation.close();
    throw error;
  }
}

export function candidateOf({name, kernels, conversation, losses}: Loaded): GpuCandidate {
  return {
    name,
    kernels,
    time: async (calls) => (await conversation.ask({op: 'time', calls})).ms as number,
    results: async () => [losses],
    peakMiB: () => null,
    close: conversation.close,
  };
}
