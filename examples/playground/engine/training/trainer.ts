/** One model on one device: trained step by step, held up, and carried to another device. */
import * as tf from '@tensorflow/tfjs';

import type {Corpus} from '../../../char_lm/split';
import {Progress, TrainingPlan, trainingSteps} from '../../../char_lm/steps';
import {BackendName, startBackend} from '../backend';
import {Device, DeviceLost} from './device';
import type {Report} from './events';
import {Look} from './look';
import {Pupil, pupilArtifacts, pupilOf} from './pupil';
import {speedometer} from './speed';
import {OneAtATime, othersFirst} from './turns';

const TELL_MS = 80;

/** Where a lost device's work goes on. */
const REFUGES: readonly BackendName[] = ['wasm', 'cpu'];

export class Trainer {
  pupil: Pupil | null = null;
  device: Device | null = null;
  report: Report = () => {};
  private readonly turns = new OneAtATime();
  private wanted: 'train' | 'pause' | 'finish' | 'stop' = 'stop';
  private wake = () => {};
  private running: Promise<void> | null = null;
  /** Steps of the plan that are done. */
  private at = 0;
  private kept: {artifacts: tf.io.ModelArtifacts; at: number} | null = null;

  /** Computes on that backend from now on, with the model that there is. @throws why it does not start */
  async use(name: BackendName): Promise<void> {
    if (this.device?.name === name) return;
    if (this.pupil) await this.exclusively(() => this.keep());
    await this.start(name);
    await this.restore();
  }

  /** Does a task between two steps. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    const {device} = this;
    return device ? device.during(() => this.turns.run(task)) : this.turns.run(task);
  }

  /** The model to train from now on. */
  async adopt(pupil: Pupil): Promise<void> {
    await this.stop();
    const old = this.pupil?.written.model;
    if (old !== pupil.written.model) old?.dispose();
    this.pupil = pupil;
    this.at = 0;
    await this.exclusively(() => this.keep());
  }

  async forget(): Promise<void> {
    await this.stop();
    this.pupil?.written.model.dispose();
    this.pupil = this.kept = null;
  }

  /** Until the plan is fulfilled or somebody says stop. */
  async train(corpus: Corpus, plan: TrainingPlan, prompt: string): Promise<void> {
    await this.stop();
    this.wanted = 'train';
    this.at = 0;
    this.running = this.throughLosses(() => this.steps(corpus, plan, prompt));
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
    const pupil = this.pupil!;
    const base = pupil.steps - this.at;
    const steps = trainingSteps(pupil.written.model, corpus.train, plan, this.at);
    const goesOn = () => this.wanted === 'train' || this.wanted === 'finish';
    const look = new Look(corpus, prompt, goesOn, this.report);
    const tell = this.teller(plan);
    try {
      for (;;) {
        await this.holdUp();
        if (this.wanted !== 'train') break;
        const {value} = await this.exclusively(() => steps.next());
        if (!value) break;
        this.at = value.step;
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
    const taken = await this.exclusively(() => look.take(this.pupil!, last));
    if (taken || last) await this.exclusively(() => this.keep());
  }

  /** Reports steps, but no more often than one can see. */
  private teller(plan: TrainingPlan): (progress: Progress, step: number) => void {
    const speed = speedometer(plan, this.at);
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
    this.report({kind: 'paused', step: this.pupil!.steps});
    await this.exclusively(() => this.keep());
    while (this.wanted === 'pause') {
      await this.device!.during(() => new Promise<void>((resolve) => (this.wake = resolve)));
    }
    if (this.wanted === 'train') this.report({kind: 'resumed'});
  }

  /** Off the device, for when it is lost. */
  private async keep(): Promise<void> {
    this.kept = {artifacts: await pupilArtifacts(this.pupil!), at: this.at};
  }

  /** What was kept, on the device of now. */
  private async restore(): Promise<void> {
    if (!this.kept) return;
    const old = this.pupil!.written.model;
    this.pupil = await pupilOf(this.kept.artifacts);
    this.at = this.kept.at;
    old.dispose(); // where its device is lost too: the tensors are no more
  }

  private async throughLosses(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof DeviceLost)) throw error;
        await this.recover(error.message);
      }
    }
  }

  private async start(name: BackendName): Promise<void> {
    const started = await startBackend(name);
    if ('reason' in started) throw new Error(started.reason);
    const device = new Device(name, started.device);
    this.device = device;
    void device.lost.then((reason) => {
      if (this.device === device && !this.running) void this.recover(reason);
    });
  }

  /** Goes back to what was kept last, on another backend. */
  private async recover(reason: string): Promise<void> {
    const {name: backend} = this.device!;
    this.turns.giveUp();
    for (const name of REFUGES) {
      try {
        await this.start(name);
        await this.restore();
        forgetBackend(backend);
        const step = this.pupil?.steps ?? 0;
        return this.report({kind: 'lost', backend, reason, now: name, step});
      } catch {
        // the next of them may
      }
    }
    this.report({kind: 'lost', backend, reason, now: null, step: 0});
    throw new Error(`${backend} lost its device (${reason}), and no other backend starts here.`);
  }
}

/** So that it begins anew, with another device, where it is asked for again. */
function forgetBackend(name: BackendName): void {
  const factory = tf.findBackendFactory(name);
  tf.removeBackend(name);
  tf.registerBackend(name, factory);
}
