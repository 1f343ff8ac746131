/** Which workloads tell something of a GPU. */
import type {Measured} from '../row';
import {STEP, WHATS, WORKLOADS, What, Workload} from '../workloads';
import {isEmulated} from './device';

export interface Planned {
  workload: Workload | typeof STEP;
  what: What;
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

/**
 * The smallest first, whose row tells what the device is; then what it can bear, or, where workloads
 * are named, those.
 */
export async function measurePlan(
  measure: (planned: Planned) => Promise<Measured[]>,
  names: readonly string[] | undefined,
  whats: readonly What[],
): Promise<Measured[]> {
  const rows: Measured[] = [];
  const smallest = {workload: WORKLOADS.W3, what: whats[0]};
  if (!names) rows.push(...(await measure(smallest)));
  const emulated = rows.length > 0 && isEmulated(rows[0].device);
  for (const name of names ?? [...Object.keys(WORKLOADS), STEP]) {
    const wanted = name === STEP ? ['training' as const] : WHATS;
    for (const what of wanted.filter((what) => whats.includes(what))) {
      const done = !names && name === 'W3' && what === smallest.what;
      if (done || (emulated && !EMULATED[name]?.includes(what))) continue;
      rows.push(...(await measure({workload: name === STEP ? STEP : WORKLOADS[name], what})));
    }
  }
  return rows;
}
