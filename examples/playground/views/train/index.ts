/** Train: a model learns in a worker, and the page shows how it does. */
import {proxy} from 'comlink';

import {openEngine} from '../../engine/open';
import type {TrainEvent} from '../../engine/training/events';
import './train.css';
import {Chart} from './chart';
import {filesOf, givenBy} from './dropped';
import {MARKUP} from './markup';
import type {Choices} from '../../engine/training/plan';
import {button, part} from './parts';
import {render} from './render';
import {Samples} from './samples';
import {START, State, choices} from './state';

const BOOK = 'Moby Dick';

export async function mount(section: HTMLElement): Promise<void> {
  section.innerHTML = MARKUP;
  const state: State = {...START};
  const show = (changes: Partial<State> = {}) => render(Object.assign(state, changes));
  const chart = new Chart(part('chart'));
  const samples = new Samples(part('samples'));
  const train = await openEngine().engine.train();
  await train.listen(proxy(hear));

  function hear(event: TrainEvent): void {
    switch (event.kind) {
      case 'progress':
        chart.add('training', event.progress.step, event.progress.bits);
        return show({progress: event.progress});
      case 'heldOut': {
        const {step, bits} = event;
        chart.add('heldOut', step, bits);
        const passes = bits < state.bigram! && !(state.bits! < state.bigram!);
        if (passes) show({told: `At step ${step} it predicts better than the bigram does.`});
        return show({bits});
      }
      case 'sample':
        return samples.add(event.step, event.prompt, event.text);
      case 'paused':
        return show({phase: 'paused', told: `Paused at step ${event.step}.`});
      case 'resumed':
        return show({phase: 'training', told: 'Training goes on.'});
      case 'lost': {
        const {backend, reason, now, step} = event;
        if (now) part<HTMLSelectElement>('backend').value = now;
        const goesOn = now
          ? `the model of step ${step} goes on with ${now}`
          : 'no other backend starts here';
        return show({problem: `${backend} lost its device (${reason}): ${goesOn}.`});
      }
    }
  }

  /** Does what a control asks for; what goes wrong is shown as a sentence. */
  async function attempt(work: () => Promise<void>): Promise<void> {
    const focused = document.activeElement as HTMLElement | null;
    show({busy: true, problem: null});
    try {
      await work();
    } catch (error) {
      show({problem: (error as Error).message});
    }
    show({busy: false});
    if (document.activeElement === document.body) focused?.focus(); // it was disabled meanwhile
  }

  async function readText(file: Blob, name: string): Promise<void> {
    const text = await train.readText(file, name);
    part<HTMLInputElement>('prompt').value = name === BOOK ? 'The whale ' : text.opening;
    show({text});
  }

  async function readBook(): Promise<void> {
    const response = await fetch(new URL('book.txt', document.baseURI));
    if (!response.ok) throw new Error('The book of this site is not there: choose a file.');
    await readText(await response.blob(), BOOK);
  }

  async function go(): Promise<void> {
    show({phase: 'starting', problem: null});
    try {
      await learn(choices());
    } catch (error) {
      show({problem: (error as Error).message, told: 'Training has ended.'});
    }
    show({phase: 'idle'});
  }

  async function learn(chosen: Choices): Promise<void> {
    const device = await train.use(chosen.backend);
    const {facts, baselines} = await train.prepare(chosen);
    chart.begin(baselines.bigram);
    const told = `Training on ${chosen.backend} (${device}).`;
    show({phase: 'training', model: facts, ...baselines, told});
    const model = await train.start(chosen, part<HTMLInputElement>('prompt').value);
    show({model, told: `Trained ${model.steps} steps.`});
  }

  async function open(files: File[]): Promise<void> {
    const given = givenBy(files);
    if (given.kind === 'nothing') throw new Error(given.reason);
    if (given.kind === 'text') return readText(given.file, given.file.name);
    const chosen = choices();
    await train.use(chosen.backend);
    if (given.kind === 'model') return adopt(await train.openModel(given.files));
    if (!state.model && !state.text) throw new Error('Choose a text first: a checkpoint has no alphabet.'); // prettier-ignore
    await train.prepare(chosen);
    adopt(await train.openCheckpoint(given.file));
  }

  /** A model that comes from elsewhere: what was drawn is not its. */
  function adopt(model: State['model']): void {
    chart.clear();
    samples.clear();
    const told = model ? 'The model is loaded.' : '';
    show({model, progress: null, bits: model?.bits ?? null, bigram: null, uniform: null, told});
  }

  async function download(kind: 'model' | 'checkpoint'): Promise<void> {
    for (const [name, blob] of Object.entries(await train.files(kind))) {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    }
  }

  part('choices').addEventListener('submit', (event) => {
    event.preventDefault();
    if (state.phase === 'training') void train.pause();
    else if (state.phase === 'paused') void train.resume();
    else if (state.phase === 'idle' && !state.busy) void go();
  });
  part('choices').addEventListener('change', () => show());
  button('finish').addEventListener('click', () => {
    void train.finish();
    show({phase: 'finishing'});
    button('go').focus(); // the button that was pressed goes when training has ended
  });
  button('new').addEventListener('click', () =>
    attempt(async () => {
      await train.forget();
      adopt(null);
    }),
  );
  button('book').addEventListener('click', () => attempt(readBook));
  part<HTMLInputElement>('file').addEventListener('change', ({target}) => {
    const input = target as HTMLInputElement;
    const files = Array.from(input.files!);
    input.value = ''; // so that the same file may be chosen again
    void attempt(() => open(files));
  });
  section.addEventListener('dragover', (event) => event.preventDefault());
  section.addEventListener('drop', (event) => {
    event.preventDefault();
    if (state.phase === 'idle' && !state.busy)
      void attempt(async () => open(await filesOf(event.dataTransfer!)));
  });
  part('ask').addEventListener('submit', (event) => {
    event.preventDefault();
    const prompt = part<HTMLInputElement>('prompt').value;
    const seed = Number(part<HTMLInputElement>('dice').value);
    const options = {prompt, seed, characters: 200, temperature: 0.7};
    void attempt(async () => {
      const text = await train.write(options);
      part('written').hidden = false;
      part('written').textContent = prompt + text;
    });
  });
  button('save').addEventListener('click', () =>
    attempt(async () => {
      await train.save();
      show({saved: (await train.saved())!.when, told: 'Saved in this browser.'});
    }),
  );
  button('load').addEventListener('click', () =>
    attempt(async () => {
      await train.use(choices().backend);
      adopt(await train.load());
    }),
  );
  button('download').addEventListener('click', () => attempt(() => download('model')));
  button('checkpoint').addEventListener('click', () => attempt(() => download('checkpoint')));

  show({saved: (await train.saved())?.when ?? null});
  await attempt(readBook);
}
