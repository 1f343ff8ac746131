/** Trains the model that lives in its home: step after step, until the plan is done or somebody says otherwise. */
import * as tf from '@tensorflow/tfjs';

import type {Corpus} from '../../../char_lm/split';
import {Progress, TrainingPlan, trainingSteps} from '../../../char_lm/steps';
import type {Report} from './events';
import {Home} from './home';
import {Look} from './look';
import type {Pupil} from './pupil';
import {speedometer} from './speed';
import {othersFirst} from './turns';

const TELL_MS = 80;

export class Trainer {
  report: Report = () => {};
  readonly home = new Home((event) => this.report(event));
  private wanted: 'train' | 'pause' | 'finish' | 'stop' = 'stop';
  private wake = () => {};
  private running: Promise<void> | null = null;

  /** The model to train from now on. */
  async adopt(pupil: Pupil): Promise<void> {
    await this.stop();
    await this.home.settle(pupil);
  }

  async forget(): Promise<void> {
    await this.stop();
    this.home.leave();
  }

  /** Until the plan is fulfilled or somebody says stop. @param prompt of the samples */
  async train(corpus: Corpus, plan: TrainingPlan, prompt: string): Promise<void> {
    await this.stop();
    this.wanted = 'train';
    this.home.begin();
    this.running = this.home.throughLosses(() => this.steps(corpus, plan, prompt));
    try {
      await this.running;
    } finally {
      this.running = null;
    }
  }

  pause(): void {
    if (this.wanted === 'train') this.wanted = 'pause';
  }

  resume(): void {
    if (this.wanted === 'pause') this.wanted = 'train';
    this.wake();
  }

  /** After the step begun and a last look; said again, without the look. */
  finish(): void {
    this.wanted = this.wanted === 'finish' ? 'stop' : 'finish';
    this.wake();
  }

  private async stop(): Promise<void> {
    this.wanted = 'stop';
    this.wake();
    await this.running?.catch(() => {}); // whoever began it is told
  }

  private async steps(corpus: Corpus, plan: TrainingPlan, prompt: string): Promise<void> {
    const {home} = this;
    const pupil = home.pupil!;
    const base = pupil.steps - home.at;
    const steps = trainingSteps(pupil.written.model, corpus.train, plan, home.at);
    const goesOn = () => this.wanted === 'train' || this.wanted === 'finish';
    const look = new Look(corpus, prompt, goesOn, this.report);
    const tell = this.teller(plan);
    try {
      for (;;) {
        await this.holdUp();
        if (this.wanted !== 'train') break;
        const {value} = await home.exclusively(() => steps.next());
        if (!value) break;
        home.at = value.step;
        pupil.steps = base + value.step;
        tell(value, pupil.steps);
        if (look.isDue()) await this.take(look, false);
        await othersFirst();
      }
    } finally {
      void steps.return(); // not awaited: on a lost device a step may never end
    }
    if (this.wanted !== 'stop') this.wanted = 'finish';
    await this.take(look, true);
  }

  private async take(look: Look, last: boolean): Promise<void> {
    const taken = await this.home.exclusively(() => look.take(this.home.pupil!, last));
    if (taken || last) await this.home.keep();
  }

  /** Reports steps, but no more often than one can see. */
  private teller(plan: TrainingPlan): (progress: Progress, step: number) => void {
    const speed = speedometer(plan, this.home.at);
    let told = 0;
    return (progress, step) => {
      const now = performance.now();
      const {done, bits} = progress;
      const charactersPerSecond = speed(progress);
      if (now - told < TELL_MS && done < 1) return;
      told = now;
      const {numTensors: tensors} = tf.memory();
      this.report({kind: 'progress', progress: {step, done, bits, charactersPerSecond, tensors}});
    };
  }

  private async holdUp(): Promise<void> {
    if (this.wanted !== 'pause') return;
    const {home} = this;
    this.report({kind: 'paused', step: home.pupil!.steps});
    await home.keep();
    while (this.wanted === 'pause') {
      await home.device!.during(() => new Promise<void>((resolve) => (this.wake = resolve)));
    }
    if (this.wanted === 'train') this.report({kind: 'resumed'});
  }
}
