/** A step of training a model, by candidates in processes or pages of their own that take turns. */
import type {Backend, Host} from '../backend';
import {takeTurns} from '../gpu/turns';
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

/** With whose losses those of the others are compared: of the first that is there. */
const REFERENCES = ['tfjs', 'pytorch'];

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
    const [reference] = REFERENCES.flatMap((one) => loaded.filter(({name}) => name === one));
    if (!reference) throw new Error(`nothing can be compared without ${REFERENCES.join(' or ')}.`);
    const right = loaded.flatMap((one) => {
      const {largest, wrong} = differenceOf(reference.losses, one.losses);
      if (wrong) refuse(one.name, wrong);
      return wrong ? [] : [{...one, maxError: largest}];
    });
    const timings = await takeTurns(right.map(candidateOf), false, c.rounds ?? undefined);
    const device = reference.device ?? processor();
    const about = {
      workload: model.name,
      backend,
      host,
      device,
      runtime: loaded.map(({runtime}) => runtime).find(Boolean) ?? 'unknown', // PyTorch says none
      what: 'training',
      threads,
    } as const;
    const hasFused = right[0].name === 'fused';
    const rows = right.map(({name, maxError, kernels, dispatches}, i) => {
      const {medianMs, minMs} = timings[i];
      const ratio = minMs / timings[0].minMs; // what disturbs other processes only adds
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
