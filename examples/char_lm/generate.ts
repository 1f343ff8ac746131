/**
 * Continues a text with a model that train.ts saved, character by character.
 *
 *     npm run generate -- --model models/moby-dick --prompt 'Call me '
 */
import {randomInt} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {Command} from 'commander';
import {loadCheckpoint, registerFasterKernels} from 'tfjs-local-attention';

import {Backend, chooseBackend} from './backend';
import {backendFlag, notNegative, run, wholeNumber} from './flags';
import {SampleOptions, checkPrompt, continueText, timed} from './sample';
import {load} from './store';

interface Flags extends Omit<SampleOptions, 'seed'> {
  seed?: number;
  model: string;
  checkpoint?: string;
  prompt: string;
  backend?: Backend;
  json?: boolean;
}

const command = new Command('npm run generate --')
  .description('Continue a text with a trained model.')
  .option('--model <directory>', 'where npm start saved it', 'models/moby-dick')
  .option('--checkpoint <file>', 'safetensors with other weights for that model')
  .requiredOption('--prompt <text>', 'what to continue')
  .addOption(backendFlag())
  .option('--characters <n>', 'how many to add', wholeNumber(1), 300)
  .option('--temperature <x>', '0 takes the likeliest; higher is bolder', notNegative, 0.7)
  .option('--seed <n>', 'for the same text again (default: another each time)', wholeNumber(0))
  .option('--json', 'print the results as one JSON object in the last line');

run(command, async () => {
  const flags = command.opts<Flags>();
  const backend = await chooseBackend(flags.backend);
  registerFasterKernels();
  const trained = await load(flags.model);
  if (flags.checkpoint) await loadCheckpoint(trained.model, readFileSync(flags.checkpoint));
  checkPrompt(flags.prompt, trained.alphabet);
  const seed = flags.seed ?? randomInt(2 ** 31);
  const begin = performance.now();
  const print = (text: string) => process.stdout.write(text);
  print(flags.prompt);
  const written = continueText(trained, flags.prompt, {...flags, seed});
  const {text: continuation, perSecond: tokensPerSecond} = await timed(written, print);
  print('\n');
  const seconds = (performance.now() - begin) / 1000;
  console.error(`${Math.round(tokensPerSecond)} tokens a second`);
  if (flags.json) {
    const {model, prompt} = flags;
    const results = {backend, seconds, model, seed, prompt, continuation, tokensPerSecond};
    console.log(JSON.stringify(results));
  }
});
