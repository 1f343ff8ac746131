/** A step of training a model, by candidates in processes of their own that take turns. */
import type {Backend} from '../backend';
import {Candidate, Skipped} from '../candidate';
import type {Conversation} from '../candidates/peers/conversation';
import {measure} from '../measure';
import {processor} from '../processor';
import {Measured, refusedRow} from '../row';
import {Model} from './index';
import {node} from './node';
import {pytorch} from './pytorch';
import {TFJS} from './tfjs';
import {Losses, Trained, differenceOf} from './training';

export interface ModelCase {
  model: Model;
  backend: Backend;
  threads: number;
  peers: boolean;
  /** How many count; null for as many as the speed suggests. */
  rounds: number | null;
}

/** With whose losses those of the others are compared. */
const REFERENCE = 'tfjs';

interface Loaded extends Trained {
  name: string;
  conversation: Conversation;
}

/** @throws if the reference fails; any other candidate that does has a row that says so */
export async function measureModel(c: ModelCase): Promise<Measured[]> {
  const {model, backend, threads} = c;
  const many = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  console.error(`a step of ${model.name} on ${backend}, ${many} ...`);
  const about = {
    workload: model.name,
    backend,
    host: 'node',
    device: processor(),
    what: 'training',
    threads,
  } as const;

  const loaded: Loaded[] = [];
  const refused: Measured[] = [];
  const refuse = (candidate: string, why: string) => {
    console.error(`  ${candidate}: ${why}.`);
    refused.push(refusedRow({...about, candidate}, why));
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
    const {timings, rounds, kept} = await measure(
      right.map(candidateOf),
      right.map(({ms}) => ms),
      c.rounds ?? undefined,
    );
    if (kept < rounds) {
      console.error(`  ${kept} of ${rounds} rounds count, the others were disturbed.`);
    }
    const hasFused = right[0].name === 'fused';
    const rows = right.map(({name, maxError}, i) => ({
      ...refusedRow({...about, candidate: name}, ''),
      ...timings[i],
      ratio: hasFused ? timings[i].ratio : null,
      maxError,
      refusal: null,
    }));
    return [...rows, ...refused];
  } finally {
    loaded.forEach(({conversation}) => conversation.close());
  }
}

type Makers = Record<string, () => Promise<Conversation>>;

function makersOf({model, threads, peers}: ModelCase): Makers {
  const own = Object.keys(TFJS).map((name) => [name, async () => node()] as const);
  const others: Makers = {pytorch: () => pytorch(model, threads), 'jax-js': async () => node()};
  return {...Object.fromEntries(own), ...(peers && others)};
}

/** Lets it take the first steps. @throws if it cannot */
async function load(name: string, conversation: Conversation, c: ModelCase): Promise<Loaded> {
  const {backend, threads} = c;
  const message = {op: 'load', candidate: name, model: c.model.name, backend, threads};
  try {
    const {skip, losses, ms} = await conversation.ask(message);
    if (skip) throw new Skipped(String(skip));
    return {name, conversation, losses: losses as Losses, ms: ms as number};
  } catch (error) {
    conversation.close();
    throw error;
  }
}

function candidateOf({name, conversation, losses}: Loaded): Candidate {
  return {
    name,
    time: async (calls) => (await conversation.ask({op: 'time', calls})).ms as number,
    results: async () => [losses],
    peakMiB: () => null,
    close: conversation.close,
  };
}
