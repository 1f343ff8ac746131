/**
 * Where the model lives: on the backend of now, and kept off its device, so that it goes on with another
 * backend when the device is lost.
 */
import * as tf from '@tensorflow/tfjs';

import {BackendName, deviceNow, startBackend} from '../backend';
import {Device, DeviceLost} from '../device';
import type {Report} from './events';
import {Pupil, pupilArtifacts, pupilOf} from './pupil';
import {OneAtATime} from './turns';

/** Where a lost device's work goes on. */
const REFUGES: readonly BackendName[] = ['wasm', 'cpu'];

export class Home {
  pupil: Pupil | null = null;
  /** Steps of the plan that it has done. */
  at = 0;
  device: Device | null = null;
  private readonly turns = new OneAtATime();
  private kept: {artifacts: tf.io.ModelArtifacts; at: number} | null = null;
  private working = false;
  private recovering: Promise<void> | null = null;

  /** @param report is told of a loss */
  constructor(private readonly report: Report) {}

  /** Computes on that backend from now on, with the model that there is. @throws why it does not start */
  async use(name: BackendName): Promise<void> {
    await this.recovering;
    if (this.device?.name === name) return;
    if (this.pupil) await this.keep();
    await this.start(name);
    await this.restore();
  }

  /** Does a task between two steps. */
  async exclusively<T>(task: () => Promise<T>): Promise<T> {
    await this.recovering;
    const {device} = this;
    return device ? device.during(() => this.turns.run(task)) : this.turns.run(task);
  }

  /** This model instead of the one that there is. */
  async settle(pupil: Pupil): Promise<void> {
    const artifacts = await this.exclusively(() => pupilArtifacts(pupil));
    const old = this.pupil?.written.model;
    if (old !== pupil.written.model) old?.dispose();
    this.pupil = pupil;
    this.kept = {artifacts, at: 0};
    this.at = 0;
  }

  /** A plan is begun: what was kept is where it begins, too. */
  begin(): void {
    this.at = 0;
    if (this.kept) this.kept.at = 0;
  }

  leave(): void {
    this.pupil?.written.model.dispose();
    this.pupil = this.kept = null;
  }

  /** Off the device, for when it is lost. */
  async keep(): Promise<void> {
    await this.exclusively(async () => {
      this.kept = {artifacts: await pupilArtifacts(this.pupil!), at: this.at};
    });
  }

  /** Does `work`; when the device is lost, again from what was kept last. */
  async throughLosses(work: () => Promise<void>): Promise<void> {
    this.working = true;
    try {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof DeviceLost)) throw error;
          await this.recover(error.reason);
        }
      }
    } finally {
      this.working = false;
    }
  }

  private async start(name: BackendName): Promise<void> {
    const started = await startBackend(name);
    if ('reason' in started) throw new Error(started.reason);
    const device = deviceNow();
    this.device = device;
    void device.lost.then((reason) => {
      if (this.device === device && !this.working) void this.recover(reason).catch(() => null); // the page is told
    });
  }

  /** What was kept, on the device of now. */
  private async restore(): Promise<void> {
    if (!this.kept) return;
    const old = this.pupil!.written.model;
    this.pupil = await pupilOf(this.kept.artifacts);
    this.at = this.kept.at;
    old.dispose(); // where its device is lost too: the tensors are no more
  }

  /** Goes back to what was kept last, on another backend: once for each loss, whoever hears of it first. */
  private recover(reason: string): Promise<void> {
    this.recovering ??= this.goElsewhere(reason).finally(() => (this.recovering = null));
    return this.recovering;
  }

  private async goElsewhere(reason: string): Promise<void> {
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
