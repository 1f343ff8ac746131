/**
 * A language model beside the original in PyTorch: a step of training, its memory, and text.
 *
 *     npx tsx bench/language_model.ts --threads 1 --rounds 5
 *
 * Both are processes that take turns, with the same weights, on one thread or as many as --threads says;
 * text is written on one. Their losses are compared first. You will see for each what a step takes,
 * what it allocates at the most above weights and optimizer (gradients are part of it), and tokens a
 * second, greedily: by `generate` here, by its own `generate` with its cache there.
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';

import {Command} from 'commander';
import {localTransformer, saveCheckpoint} from 'tfjs-local-attention';

import {randomNumbers} from '../examples/char_lm/random';
import {Skipped} from './candidate';
import {Conversation, python} from './candidates/peers/conversation';
import {run, wholeNumber} from './flags';
import {RATE, Shape, configOf} from './language_model/task';
import {machine} from './machine';
import {median} from './measure';
import {start} from './start';
import {tableOf} from './table';
import {node} from './whole/node';

interface Flags extends Shape {
  threads: number;
  rounds: number;
  tokens: number;
  json?: boolean;
}

interface Side {
  name: string;
  /** Before the first steps. */
  losses: number[];
  conversation: Conversation;
}

interface Row {
  candidate: string;
  what: 'training' | 'generation' | 'memory';
  threads: number;
  /** ms of a step, tokens a second, MiB: the median, and the best of all rounds. */
  median: number;
  best: number;
}

/** Relative, of losses before the first three steps. */
const LARGEST_DIFFERENCE = 1e-4;

const command = new Command('npx tsx bench/language_model.ts')
  .description('Measure a language model beside the original in PyTorch.')
  .option('--dim <n>', 'size of a token', wholeNumber, 512)
  .option('--depth <n>', 'blocks', wholeNumber, 6)
  .option('--heads <n>', 'of size 64', wholeNumber, 8)
  .option('--window <n>', 'in tokens', wholeNumber, 256)
  .option('--streams <n>', 'residual streams', wholeNumber, 1)
  .option('--vocabulary <n>', 'tokens there are', wholeNumber, 256)
  .option('--length <n>', 'tokens of a step', wholeNumber, 1024)
  .option('--prompt <n>', 'tokens of the prompt', wholeNumber, 16)
  .option('--tokens <n>', 'tokens to write', wholeNumber, 496)
  .option('--threads <n>', 'of training', wholeNumber, 1)
  .option('--rounds <n>', 'rounds that count', wholeNumber, 5)
  .option('--json', 'print the rows as one JSON array in the last line');

run(command, async () => {
  const flags = command.opts<Flags>();
  console.log(machine());
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-language-model-'));
  process.once('exit', () => rmSync(folder, {recursive: true, force: true}));
  const rows: Row[] = [];
  const {threads, rounds, tokens} = flags;
  const weights = await weightsIn(folder, flags);
  for (const count of new Set([threads, 1])) {
    const sides = await loaded(flags, count, weights);
    try {
      const measure = async (what: Row['what'], ask: object, of: (answer: Answer) => number) =>
        rows.push(...(await turns(sides, {what, threads: count}, {rounds, ask, of})));
      if (count === threads) await measure('training', {op: 'train', calls: 1}, ({ms}) => ms);
      if (count === threads) await measure('memory', {op: 'memory'}, ({peakMiB}) => peakMiB);
      const perSecond = ({ms}: Answer) => (1000 * tokens) / ms;
      if (count === 1) await measure('generation', {op: 'generate', tokens}, perSecond);
    } finally {
      sides.forEach(({conversation}) => conversation.close());
    }
  }
  const cells = rows.map((row) => [
    `${row.what}, ${UNITS[row.what]}`,
    row.candidate,
    `${row.threads}`,
    row.median.toPrecision(4),
    row.best.toPrecision(4),
  ]);
  console.log(`\n${tableOf([['what', 'by', 'threads', 'median', 'best'], ...cells])}`);
  if (flags.json) console.log(JSON.stringify(rows));
});

const UNITS = {training: 'ms a step', generation: 'tokens a second', memory: 'MiB'};

interface Answer {
  ms: number;
  peakMiB: number;
}

interface Asked {
  rounds: number;
  ask: object;
  of: (answer: Answer) => number;
}

/** As in measure.ts, A B A B; a first round does not count. */
async function turns(
  sides: readonly Side[],
  about: Pick<Row, 'what' | 'threads'>,
  {rounds, ask, of}: Asked,
): Promise<Row[]> {
  const values: number[][] = sides.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [at, {conversation}] of sides.entries()) {
      const answer = (await conversation.ask({...ask})) as unknown as Answer;
      if (round > 0) values[at].push(of(answer));
    }
  }
  const best = about.what === 'generation' ? Math.max : Math.min;
  return sides.map(({name}, at) => ({
    candidate: name,
    ...about,
    median: median(values[at]),
    best: best(...values[at]),
  }));
}

/** A file of fresh weights. */
async function weightsIn(folder: string, shape: Shape): Promise<string> {
  await start('cpu', 1);
  const model = localTransformer(configOf(shape));
  const file = path.join(folder, 'weights.safetensors');
  writeFileSync(file, await saveCheckpoint(model));
  model.dispose();
  return file;
}

/** @throws if a side comes to other losses; one that is not installed is left out, aloud */
async function loaded(shape: Flags, threads: number, weights: string): Promise<Side[]> {
  const random = randomNumbers(1);
  const ids = Array.from({length: shape.length}, () => Math.floor(random() * shape.vocabulary));
  const makers: Record<string, () => Conversation> = {
    ours: () => node(path.join(__dirname, 'language_model', 'process.ts')),
    pytorch: () => python('pytorch_language_model.py'),
  };
  const sides: Side[] = [];
  for (const [name, make] of Object.entries(makers)) {
    try {
      const conversation = make();
      const told = {op: 'load', shape, threads, weights, ids, rate: RATE};
      const {losses, skip} = (await conversation.ask(told)) as {losses: number[]; skip?: string};
      if (skip) {
        conversation.close();
        throw new Skipped(skip);
      }
      sides.push({name, conversation, losses});
      check(name, losses, sides[0].losses);
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      console.error(`  ${name}: ${error.message}.`);
    }
  }
  return sides;
}

function check(name: string, losses: number[], expected: number[]): void {
  const wrong = expected.findIndex((loss, at) => !(Math.abs(losses[at] / loss - 1) < LARGEST_DIFFERENCE)); // prettier-ignore
  if (wrong >= 0)
    throw new Error(`${name}: loss ${wrong} is ${losses[wrong]}, not ${expected[wrong]}.`);
}
