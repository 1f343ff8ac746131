/** Which workloads tell something of a GPU. */
import type {Measured} from '../row';
import {STEP, WHATS, WORKLOADS, What, Workload} from '../workloads';
import {isEmulated} from './device';

export interface Planned {
  workload: Workload | typeof STEP;
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
  [STEP]: ['training'],
};

/** Of those, the ones that other libraries need less than minutes for. */
const EMULATED_PEERS = ['W3', 'W5', 'W6'];

/** From small to large: the first tells what the device is. */
const ORDER = ['W3', 'W6', 'W5', STEP, 'W4', 'W1', 'W2'];

/** Measures the workloads of these names, or those that the device can bear. */
export async function measurePlan(
  measure: (planned: Planned) => Promise<readonly Measured[]>,
  names: readonly string[] | undefined,
  whats: readonly What[],
): Promise<void> {
  let emulated = false;
  for (const name of names ?? ORDER) {
    const wanted = name === STEP ? ['training' as const] : WHATS;
    for (const what of wanted.filter((what) => whats.includes(what))) {
      if (emulated && !EMULATED[name]?.includes(what)) continue;
      const workload = name === STEP ? STEP : WORKLOADS[name];
      const peers = !emulated || EMULATED_PEERS.includes(name);
      const rows = await measure({workload, what, peers});
      emulated = !names && isEmulated(rows[0].device);
    }
  }
}
