/** Which workloads tell something of a GPU. */
import type {Measured} from '../row';
import {Model, MODELS} from '../whole/models';
import {WHATS, WORKLOADS, What, Workload} from '../workloads';
import {isEmulated} from './device';

export interface Planned {
  /** A whole model is trained. */
  workload: Workload | Model;
  what: What;
  /** Whether other libraries take part, if they are asked for. */
  peers: boolean;
}

/** Small enough for cores of a CPU: the composite takes half a minute for W1, and minutes for its gradient. */
const EMULATED: Record<string, readonly What[]> = {
  W1: ['forward'],
  W3: WHATS,
  W4: ['forward'],
  W5: WHATS,
  W6: WHATS,
  M2: ['training'],
};

/** Of those, the ones that other libraries need less than minutes for. */
const EMULATED_PEERS = ['W3', 'W5', 'W6'];

/** From small to large: the first tells what the device is. */
const ORDER = ['W3', 'W6', 'W5', 'M2', 'W4', 'W1', 'W2', 'M1'];

/** Measures the workloads of these names, or those that the device can bear. */
export async function measurePlan(
  measure: (planned: Planned) => Promise<readonly Measured[]>,
  names: readonly string[] | undefined,
  whats: readonly What[],
): Promise<void> {
  let emulated = false;
  for (const name of names ?? ORDER) {
    const wanted = name in MODELS ? ['training' as const] : WHATS;
    for (const what of wanted.filter((what) => whats.includes(what))) {
      if (emulated && !EMULATED[name]?.includes(what)) continue;
      const workload = MODELS[name] ?? WORKLOADS[name];
      const peers = !emulated || EMULATED_PEERS.includes(name);
      const rows = await measure({workload, what, peers});
      emulated = !names && isEmulated(rows[0].device);
    }
  }
}
