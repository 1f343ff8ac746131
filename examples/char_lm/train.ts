/**
 * Trains a character-level model on Moby Dick for some minutes, and shows what it has
 * learned. What to expect (wasm, two cores):
 *
 *     $ npm start
 *     Moby Dick: 1147263 characters to train on, 60382 held out, 78 in the alphabet. …
 *     training ████████████████████████ 100% | step 4000 | 2.22 bits/char | 19695 chars/s | 0:00 left
 *     Trained 4000 steps in 104 s. Saved to models/moby-dick
 *
 *     Bits per character, on 15360 held-out characters:
 *       model    2.197
 *       uniform  6.285
 *       unigram  4.406
 *       bigram   3.462
 *     …
 *     $ npm run generate -- --model models/moby-dick --prompt 'Call me '
 */
import fs from 'node:fs';
import {Command} from 'commander';
import {registerFasterKernels} from 'tfjs-local-attention';

import {Backend, chooseBackend} from './backend';
import {CharacterModel} from './character_model';
import {novel} from './corpus';
import {Windows, largestDifference, modelBits, pairsIn, spread} from './evaluation';
import {backendFlag, positive, run, wholeNumber} from './flags';
import {buildModel} from './model';
import {bigramBits, unigramBits, uniformBits} from './ngram';
import {progressBar} from './progress_bar';
import {continueText, timed} from './sample';
import {ModelShape} from './shape';
import {split} from './split';
import {TrainingPlan} from './steps';
import {load, save} from './store';
import {train} from './training';

interface Flags extends ModelShape, TrainingPlan {
  backend?: Backend;
  out: string;
  json?: boolean;
}

/** What --json prints. `null`: training was interrupted, so it was not measured. */
interface Report {
  backend: Backend;
  seconds: number;
  steps: number;
  bitsPerChar: {model: number | null; uniform: number; unigram: number; bigram: number};
  savedTo: string;
  sample: string | null;
}

const PROMPT = 'The whale ';
const HELD_OUT_WINDOWS = 160;

const command = new Command('npm start --')
  .description('Train a character-level model on Moby Dick.')
  .addOption(backendFlag())
  .option('--steps <n>', 'end after so many steps', wholeNumber(1), 4000)
  .option('--seconds <n>', 'end after so much time, if that comes first', positive, 210)
  .option('--batch <n>', 'texts in a step', wholeNumber(1), 4)
  .option('--length <n>', 'characters in a text', wholeNumber(2), 128)
  .option('--dim <n>', 'size of a position, an even multiple of the heads', wholeNumber(2), 64)
  .option('--heads <n>', 'attention heads', wholeNumber(1), 2)
  .option('--depth <n>', 'blocks', wholeNumber(1), 2)
  .option('--window <n>', 'characters that a block looks back', wholeNumber(1), 4)
  .option('--rate <x>', 'highest learning rate', positive, 5e-3)
  .option('--seed <n>', 'the same seed, steps and backend give the same model', wholeNumber(0), 1)
  .option('--out <directory>', 'where to save the model', 'models/moby-dick')
  .option('--json', 'print the results as one JSON object in the last line');

run(command, async () => {
  const flags = command.opts<Flags>();
  if (flags.dim % (2 * flags.heads) !== 0) {
    const got = `got --dim ${flags.dim} --heads ${flags.heads}`;
    throw new Error(`--dim must be a multiple of twice --heads, ${got}.`);
  }
  const {alphabet, train: text, heldOut} = split(novel());
  if (flags.length >= heldOut.length) {
    throw new Error(`--length must be below ${heldOut.length}, got ${flags.length}.`);
  }
  fs.mkdirSync(flags.out, {recursive: true}); // fails now rather than after training
  const backend = await chooseBackend(flags.backend);
  registerFasterKernels();
  const model = buildModel(alphabet.size, flags);
  const written: CharacterModel = {model, alphabet};
  console.log(
    `Moby Dick: ${text.length} characters to train on, ${heldOut.length} held out, ` +
      `${alphabet.size} in the alphabet. Model: ${model.countParams()} weights, backend ${backend}.`,
  );

  const stop = stopOnInterrupt();
  const bar = progressBar();
  const {step, seconds} = await train(model, text, flags, stop, bar.show);
  bar.stop();
  await save(written, flags.out);
  console.log(`Trained ${step} steps in ${seconds.toFixed(0)} s. Saved to ${flags.out}`);

  const windows = spread(heldOut, flags.length, Math.floor(flags.length / 4), HELD_OUT_WINDOWS);
  const report: Report = {
    backend,
    seconds,
    steps: step,
    bitsPerChar: {model: null, ...baselines(text, heldOut, windows, alphabet.size)},
    savedTo: flags.out,
    sample: null,
  };
  if (!stop.aborted) {
    process.removeAllListeners('SIGINT'); // nothing is left to save
    report.bitsPerChar.model = await modelBits(model, heldOut, windows);
    report.sample = await describe(written, heldOut, windows, flags, report);
  }
  if (flags.json) console.log(JSON.stringify(report));
  if (stop.aborted) process.exitCode = 130;
});

/** Aborts at the first Ctrl-C; the second exits. */
function stopOnInterrupt(): AbortSignal {
  const stop = new AbortController();
  let first = 0;
  process.on('SIGINT', () => {
    if (!stop.signal.aborted) {
      first = performance.now();
      console.error('\nStopping after this step; Ctrl-C again stops at once, unsaved.');
      stop.abort();
    } else if (performance.now() - first > 1000) {
      process.exit(130); // sooner, it is npm repeating what the terminal has sent to all
    }
  });
  return stop.signal;
}

function baselines(text: Int32Array, heldOut: Int32Array, windows: Windows, size: number) {
  const pairs = pairsIn(heldOut, windows);
  return {
    uniform: uniformBits(size),
    unigram: unigramBits(text, size, pairs),
    bigram: bigramBits(text, size, pairs),
  };
}

/** Prints what there is to see, and returns the sample. */
async function describe(
  written: CharacterModel,
  heldOut: Int32Array,
  windows: Windows,
  flags: Flags,
  {bitsPerChar}: Report,
): Promise<string> {
  const scored = windows.starts.length * (windows.length - windows.context);
  console.log(`\nBits per character, on ${scored} held-out characters:`);
  for (const [name, bits] of Object.entries(bitsPerChar)) {
    console.log(`  ${name.padEnd(8)} ${bits!.toFixed(3)}`);
  }
  const reloaded = await load(flags.out);
  const difference = await largestDifference(written.model, reloaded.model, heldOut, windows);
  console.log(`\nLargest difference of logits before saving and after loading: ${difference}`);

  const options = {characters: 300, temperature: 0.7, seed: flags.seed};
  const {text, perSecond} = await timed(continueText(reloaded, PROMPT, options));
  const sample = PROMPT + text;
  console.log(`\nSample, written at ${Math.round(perSecond)} tokens a second:\n${sample}`);
  console.log(
    `\nMore: npm run generate -- --model ${flags.out} --prompt ${JSON.stringify(PROMPT)}`,
  );
  return sample;
}
