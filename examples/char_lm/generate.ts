/**
 * Continues a text with a model that train.ts saved.
 *
 *     npm run generate -- --model models/moby-dick --prompt 'Call me '
 */
import {randomInt} from 'node:crypto';
import {Command} from 'commander';

import {Backend, chooseBackend} from './backend';
import {backendFlag, notNegative, run, wholeNumber} from './flags';
import {SampleOptions, continueText} from './sample';
import {load} from './store';

interface Flags extends Omit<SampleOptions, 'seed'> {
  seed?: number;
  model: string;
  prompt: string;
  backend?: Backend;
  json?: boolean;
}

const command = new Command('npm run generate --')
  .description('Continue a text with a trained model.')
  .option('--model <directory>', 'where npm start saved it', 'models/moby-dick')
  .requiredOption('--prompt <text>', 'what to continue')
  .addOption(backendFlag())
  .option('--characters <n>', 'how many to add', wholeNumber(1), 300)
  .option('--temperature <x>', '0 takes the likeliest; higher is bolder', notNegative, 0.7)
  .option('--seed <n>', 'for the same text again (default: another each time)', wholeNumber(0))
  .option('--json', 'print the results as one JSON object in the last line');

run(command, async () => {
  const flags = command.opts<Flags>();
  const backend = await chooseBackend(flags.backend);
  const trained = await load(flags.model);
  const seed = flags.seed ?? randomInt(2 ** 31);
  const begin = performance.now();
  const continuation = await continueText(trained, flags.prompt, {...flags, seed});
  const seconds = (performance.now() - begin) / 1000;
  console.log(flags.prompt + continuation);
  if (flags.json) {
    const {model, prompt} = flags;
    console.log(JSON.stringify({backend, seconds, model, seed, prompt, continuation}));
  }
});
