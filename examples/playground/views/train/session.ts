/** What a visitor can do in the view, and what the worker tells of it: both change the state. */
import {Remote, proxy} from 'comlink';

import type {Train} from '../../engine/train';
import type {Baselines} from '../../engine/training/held_out';
import type {TrainEvent} from '../../engine/training/events';
import type {Choices} from '../../engine/training/plan';
import {Chart} from './chart';
import {givenBy} from './dropped';
import {changesBy} from './hearing';
import {part} from './parts';
import {render} from './render';
import {Samples} from './samples';
import {START, State, choices} from './state';

const BOOK = 'Moby Dick';

export class Session {
  readonly state: State = {...START};
  private readonly chart = new Chart(part('chart'));
  private readonly samples = new Samples(part('samples'));

  constructor(private readonly train: Remote<Train>) {}

  show(changes: Partial<State> = {}): void {
    render(Object.assign(this.state, changes));
  }

  async begin(): Promise<void> {
    await this.train.listen(proxy((event: TrainEvent) => this.hear(event)));
    await this.attempt(() => this.readSaved());
    await this.attempt(() => this.readBook());
  }

  /** Does what a control asks for; what goes wrong is shown as a sentence. */
  async attempt(work: () => Promise<void>): Promise<void> {
    const focused = document.activeElement as HTMLElement | null;
    this.show({busy: true, problem: null});
    try {
      await work();
    } catch (error) {
      this.show({problem: (error as Error).message});
    }
    this.show({busy: false});
    if (document.activeElement === document.body) focused?.focus(); // it was disabled meanwhile
  }

  /** The one button: what it does is what it says. */
  go(): void {
    const {phase, busy} = this.state;
    if (phase === 'training') {
      this.show({told: 'Pausing after this step…'}); // a step of a slow GPU takes seconds
      void this.train.pause();
    }
    if (phase === 'paused') void this.train.resume();
    if (phase === 'idle' && !busy) void this.trainOn(choices());
  }

  finish(): void {
    void this.train.finish();
    this.show({phase: 'finishing'});
  }

  async forget(): Promise<void> {
    await this.train.forget();
    this.adopt(null);
  }

  async readBook(): Promise<void> {
    const response = await fetch(new URL('book.txt', document.baseURI));
    if (!response.ok) throw new Error('The book of this site is not there: choose a file.');
    await this.readText(await response.blob(), BOOK);
  }

  async open(files: File[]): Promise<void> {
    const given = givenBy(files);
    if (given.kind === 'nothing') throw new Error(given.reason);
    if (given.kind === 'text') return this.readText(given.file, given.file.name);
    const chosen = choices();
    await this.train.use(chosen.backend);
    if (given.kind === 'model') return this.adopt(await this.train.openModel(given.files));
    if (!this.state.text) throw new Error('Choose a text first: a checkpoint has no alphabet.');
    this.adopt(await this.train.openCheckpoint(given.file, chosen));
  }

  async write(prompt: string, seed: number): Promise<void> {
    const place = part('written');
    place.hidden = false;
    place.textContent = prompt;
    place.setAttribute('aria-busy', 'true'); // it is read out when it is whole
    const add = proxy((character: string) => place.append(character));
    try {
      await this.train.write({prompt, seed, characters: 200, temperature: 0.7}, add);
    } finally {
      place.setAttribute('aria-busy', 'false');
    }
  }

  async save(): Promise<void> {
    await this.train.save();
    await this.readSaved();
    this.show({told: 'Saved in this browser.'});
  }

  async load(): Promise<void> {
    await this.train.use(choices().backend);
    this.adopt(await this.train.load());
  }

  async download(kind: 'model' | 'checkpoint'): Promise<void> {
    for (const [name, blob] of Object.entries(await this.train.files(kind))) {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    }
  }

  private async readSaved(): Promise<void> {
    this.show({saved: (await this.train.saved())?.when ?? null});
  }

  private async readText(file: Blob, name: string): Promise<void> {
    const text = await this.train.readText(file, name);
    part<HTMLInputElement>('prompt').value = name === BOOK ? 'The whale ' : text.opening;
    this.show({text});
    if (!this.state.model) this.compareWith(text.baselines);
  }

  private async trainOn(chosen: Choices): Promise<void> {
    this.show({phase: 'starting', problem: null});
    try {
      const device = await this.train.use(chosen.backend);
      const {facts, baselines} = await this.train.prepare(chosen);
      this.compareWith(baselines);
      const told = `Training on ${chosen.backend} (${device}).`;
      this.show({phase: 'training', model: facts, told});
      const model = await this.train.start(chosen, part<HTMLInputElement>('prompt').value);
      const {steps} = model;
      const progress = this.state.progress && {...this.state.progress, step: steps};
      this.show({model, progress, told: `Trained ${steps} steps.`});
    } catch (error) {
      this.show({problem: (error as Error).message, told: ''});
    }
    this.show({phase: 'idle'});
  }

  /** A model that comes from elsewhere: what was drawn is not its. */
  private adopt(model: State['model']): void {
    this.chart.clear();
    this.samples.clear();
    const told = model ? 'The model is loaded.' : '';
    this.show({
      model,
      progress: null,
      bits: model?.bits ?? null,
      bigram: null,
      uniform: null,
      told,
    });
    if (!model && this.state.text) this.compareWith(this.state.text.baselines);
  }

  private compareWith(baselines: Baselines): void {
    this.chart.compareWith(baselines);
    this.show({...baselines});
  }

  private hear(event: TrainEvent): void {
    if (event.kind === 'progress')
      this.chart.add('training', event.progress.step, event.progress.bits);
    if (event.kind === 'heldOut') this.chart.add('heldOut', event.step, event.bits);
    if (event.kind === 'sample') this.samples.add(event.step, event.prompt, event.text);
    if (event.kind === 'lost' && event.now) part<HTMLSelectElement>('backend').value = event.now;
    this.show(changesBy(event, this.state));
  }
}
