/** A step of training a model, by candidates in processes or pages of their own that take turns. */
import {Backend, Host, isGpu} from '../backend';
import {measure} from '../measure';
import {processor} from '../processor';
import {Measured, refusedRow} from '../row';
import {Loaded, candidateOf, load, makersOf} from './loaded';
import type {Model} from './models';
import {differenceOf} from './training';

export interface ModelCase {
  model: Model;
  backend: Backend;
  host: Host;
  threads: number;
  peers: boolean;
  /** How many count; null for as many as the speed suggests. */
  rounds: number | null;
}

/** With whose losses those of the others are compared. */
const REFERENCE = 'tfjs';

/** @throws if the reference fails; any other candidate that does has a row that says so */
export async function measureModel(c: ModelCase): Promise<Measured[]> {
  const {model, backend, host, threads} = c;
  const loaded: Loaded[] = [];
  const refused: {candidate: string; why: string}[] = [];
  const refuse = (candidate: string, why: string) => {
    console.error(`  ${candidate}: ${why}.`);
    refused.push({candidate, why});
  };
  try {
    for (const [name, make] of Object.entries(makersOf(c))) {
      try {
        loaded.push(await load(name, await make(), c));
      } catch (error) {
        refuse(name, (error as Error).message);
      }
    }
    const reference = loaded.find(({name}) => name === REFERENCE);
    if (!reference) throw new Error(`nothing can be compared without ${REFERENCE}.`);
    const right = loaded.flatMap((one) => {
      const {largest, wrong} = differenceOf(reference.losses, one.losses);
      if (wrong) refuse(one.name, wrong);
      return wrong ? [] : [{...one, maxError: largest}];
    });
    const estimates = right.map(({ms}) => ms);
    const measured = await measure(right.map(candidateOf), estimates, c.rounds ?? undefined);
    const {timings, rounds, kept} = measured;
    if (kept < rounds) {
      console.error(`  ${kept} of ${rounds} rounds count, the others were disturbed.`);
    }

    const device = reference.device ?? processor();
    const about = {
      workload: model.name,
      backend,
      host,
      device,
      runtime: reference.runtime,
      what: 'training',
      threads,
    } as const;
    const hasFused = right[0].name === 'fused';
    const rows = right.map(({name, maxError, kernels, dispatches}, i) => {
      const {medianMs, minMs} = timings[i];
      // what disturbs a GPU only adds, and the core's speed tells nothing of it
      const ratio = isGpu(backend) ? minMs / timings[0].minMs : timings[i].ratio;
      return {
        ...refusedRow({...about, candidate: name}, ''),
        ...{medianMs, minMs, ratio: hasFused ? ratio : null},
        ...{kernels, dispatches, maxError, refusal: null},
      };
    });
    const others = refused.map(({candidate, why}) => refusedRow({...about, candidate}, why));
    return [...rows, ...others];
  } finally {
    loaded.forEach(({conversation}) => conversation.close());
  }
}
