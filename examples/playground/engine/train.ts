/** What the view Train asks of its worker. */
import * as tf from '@tensorflow/tfjs';
import {loadCheckpoint, saveCheckpoint} from 'tfjs-local-attention';

import {buildModel} from '../../char_lm/model';
import type {Corpus} from '../../char_lm/split';
import type {BackendName} from './backend';
import {filesOf} from './training/artifacts';
import type {Report} from './training/events';
import {Baselines, baselinesOf} from './training/held_out';
import {LineOptions, writeLine} from './training/line';
import {Choices, planOf, shapeOf} from './training/plan';
import {PupilFacts, asPupil, factsOf, pupilArtifacts} from './training/pupil';
import {corpusFor, corpusWith, openingOf, textOf} from './training/text';
import {Trainer} from './training/trainer';

/** Where the browser keeps a model. */
const PLACE = 'indexeddb://playground';

export interface TextFacts {
  name: string;
  characters: number;
  heldOut: number;
  /** Different ones that the model can tell apart. */
  alphabet: number;
  /** Words to begin samples with. */
  opening: string;
  /** What a new model will be compared with. */
  baselines: Baselines;
}

export interface Saved {
  when: Date;
}

const trainer = new Trainer();
const {home} = trainer;
let text: {name: string; words: string; opening: string} | null = null;

export const train = {
  listen(report: Report): void {
    trainer.report = report;
  },

  /** @throws why that backend does not start */
  async use(backend: BackendName): Promise<string> {
    await home.use(backend);
    return home.device!.told;
  },

  /** @throws in a sentence, if there is nothing to learn from it */
  async readText(file: Blob, name: string): Promise<TextFacts> {
    const words = textOf(await file.arrayBuffer(), name);
    const corpus = corpusFor(words, name);
    const {alphabet, heldOut} = corpus;
    const opening = openingOf(words);
    text = {name, words, opening};
    const facts = {characters: words.length, heldOut: heldOut.length, alphabet: alphabet.size};
    return {name, opening, ...facts, baselines: baselinesOf(corpus)};
  },

  /** Makes a model where there is none, and says what it will be compared with. */
  async prepare(choices: Choices): Promise<{facts: PupilFacts; baselines: Baselines}> {
    if (!home.pupil) {
      const {alphabet} = corpusFor(text!.words, text!.name);
      const model = buildModel(alphabet.size, shapeOf(choices));
      await trainer.adopt({written: {model, alphabet}, steps: 0, bits: null});
    }
    return {facts: factsOf(home.pupil!), baselines: baselinesOf(corpus())};
  },

  /** Answers when the plan is fulfilled, or after `finish`. @param prompt of the samples */
  async start(choices: Choices, prompt: string): Promise<PupilFacts> {
    await trainer.train(corpus(), planOf(choices), prompt);
    return factsOf(home.pupil!);
  },
  pause: () => trainer.pause(),
  resume: () => trainer.resume(),
  finish: () => trainer.finish(),
  forget: () => trainer.forget(),

  /** @param onPart told each character */
  async write(options: LineOptions, onPart: (part: string) => void): Promise<void> {
    const {written} = home.pupil!;
    await home.exclusively(() => writeLine(written, options, () => true, onPart));
  },

  /** What the browser keeps, or null. */
  async saved(): Promise<Saved | null> {
    const models = await tf.io.listModels();
    return PLACE in models ? {when: models[PLACE].dateSaved} : null;
  },
  async save(): Promise<void> {
    const artifacts = await home.exclusively(() => pupilArtifacts(home.pupil!));
    await tf.io.getSaveHandlers(PLACE)[0].save!(artifacts);
  },
  async load(): Promise<PupilFacts> {
    return adopt(await tf.loadLayersModel(PLACE), 'This browser');
  },

  /** Of the model, to be downloaded: by their names. */
  async files(kind: 'model' | 'checkpoint'): Promise<Record<string, Blob>> {
    const {written} = home.pupil!;
    if (kind === 'model') {
      return filesOf(await home.exclusively(() => pupilArtifacts(home.pupil!)));
    }
    const bytes = await home.exclusively(() => saveCheckpoint(written.model));
    return {'model.safetensors': new Blob([bytes])};
  },

  /** model.json and what it names. @throws what is wrong with it, in a sentence */
  async openModel(files: File[]): Promise<PupilFacts> {
    return adopt(await tf.loadLayersModel(tf.io.browserFiles(files)), 'What you gave');
  },

  /** A safetensors file, of the model that there is or else of a chosen one. @throws what the package says of it */
  async openCheckpoint(file: Blob, choices: Choices): Promise<PupilFacts> {
    const isNew = home.pupil === null;
    await train.prepare(choices);
    const pupil = home.pupil!;
    try {
      await home.exclusively(() => loadCheckpoint(pupil.written.model, file));
    } catch (error) {
      if (isNew) await trainer.forget(); // nobody has asked for it
      throw error;
    }
    await trainer.adopt({...pupil, steps: 0, bits: null});
    return factsOf(home.pupil!);
  },
};

export type Train = typeof train;

async function adopt(model: tf.LayersModel, place: string): Promise<PupilFacts> {
  try {
    await trainer.adopt(asPupil(model, place));
  } catch (error) {
    model.dispose();
    throw error;
  }
  return factsOf(home.pupil!);
}

function corpus(): Corpus {
  const {alphabet} = home.pupil!.written;
  return corpusWith(text!.words, text!.name, alphabet);
}
