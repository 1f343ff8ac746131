/** Shows a state. */
import {transformerOptions} from '../../../char_lm/shape';
import {shapeOf} from '../../engine/training/plan';
import {button, part} from './parts';
import {State, choices} from './state';

const GO: Record<State['phase'], string> = {
  idle: 'Start training',
  starting: 'One moment…',
  training: 'Pause',
  paused: 'Resume',
  finishing: 'One moment…',
};

const count = (n: number) => Math.round(n).toLocaleString('en');

export function render(state: State): void {
  const {phase, busy, text, model, progress, bits, bigram, problem, told} = state;
  const idle = phase === 'idle' && !busy;
  const hasModel = model !== null && phase !== 'starting' && !busy;
  const runs = phase === 'training' || phase === 'paused' || phase === 'finishing';

  write('go', phase === 'idle' && model ? 'Train on' : GO[phase]);
  button('go').disabled = !text || (phase === 'idle' && busy);
  button('go').setAttribute('aria-disabled', String(phase === 'starting' || phase === 'finishing'));
  button('finish').hidden = !runs;
  button('new').hidden = !model || phase !== 'idle';
  button('new').disabled = busy;
  for (const name of ['file', 'book']) button(name).disabled = !idle;
  part('choices').classList.toggle('runs', runs);
  part<HTMLFieldSetElement>('model-choices').disabled = !idle || model !== null;
  part<HTMLFieldSetElement>('plan-choices').disabled = !idle;
  for (const name of ['write', 'save', 'download', 'checkpoint']) button(name).disabled = !hasModel;
  button('load').disabled = !idle || !state.saved;

  write('text', text?.name ?? 'none yet');
  write('text-facts', text ? textFacts(text) : '');
  write('figure-held-out', bits?.toFixed(2) ?? '–');
  write('figure-bigram', bigram?.toFixed(2) ?? '–');
  write('figure-speed', progress ? count(progress.charactersPerSecond) : '–');
  write('figure-step', progress ? count(progress.step) : '–');
  part<HTMLProgressElement>('done').value = progress?.done ?? 0;
  part('chart').setAttribute('aria-label', chartInWords(state));
  write('state', told);
  const {uniform} = state;
  write('blind', uniform === null ? '' : `Guessing blindly, it costs ${uniform.toFixed(1)}.`);

  part('problem').hidden = problem === null;
  write('problem', problem ?? '');
  write('model', model ? modelFacts(state) : 'There is no model yet.');
  write('saved', state.saved ? `Saved here on ${state.saved.toLocaleString('en-GB', {dateStyle: 'long', timeStyle: 'short'})}.` : ''); // prettier-ignore
  write('code', code(state));
  write('tensors', progress ? `The worker holds ${count(progress.tensors)} tensors.` : '');
}

/** Text that is the same stays as it is, so that nothing is announced twice. */
function write(name: string, words: string): void {
  const element = part(name);
  if (element.textContent !== words) element.textContent = words;
}

function textFacts({characters, heldOut, alphabet}: NonNullable<State['text']>): string {
  return `${count(characters)} characters, ${count(alphabet)} different ones; the last ${count(heldOut)} are held out.`;
}

function modelFacts({model, progress, bits}: State): string {
  const {depth, dim, heads, window, weights, characters} = model!;
  const steps = progress?.step ?? model!.steps;
  const blocks = `${depth} block${depth > 1 ? 's' : ''} of ${dim}, ${heads} head${heads > 1 ? 's' : ''}, window ${window}`;
  const known = bits === null ? '' : `, ${bits.toFixed(2)} bits per character`;
  return `${blocks}: ${count(weights)} weights, ${characters} characters; trained ${count(steps)} steps${known}.`;
}

function chartInWords({progress, bits, bigram}: State): string {
  if (!progress || bigram === null) return 'A chart of bits per character, empty before training';
  const heldOut = bits === null ? 'not measured yet' : bits.toFixed(2);
  return `A chart of bits per character at step ${progress.step}: held-out text ${heldOut}, the bigram ${bigram.toFixed(2)}`; // prettier-ignore
}

function code({model, text}: State): string {
  const {dim, heads, depth, window, seed} = {...shapeOf(choices()), ...model};
  const options = transformerOptions(model?.characters ?? text?.alphabet ?? 0, {dim, heads, depth, window, seed}); // prettier-ignore
  // how a model that is there was seeded is not known
  const lines = Object.entries(options).filter(
    ([name, value]) => value !== undefined && !(model && name === 'seed'),
  );
  return `localTransformer({\n${lines.map(([name, value]) => `  ${name}: ${value},\n`).join('')}})`;
}
