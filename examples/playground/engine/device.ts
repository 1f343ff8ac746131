/** The backend that computes, and how its device may be lost. */
import type {BackendName} from './backend';
import {lossOf, lossWouldBeTold} from './loss';

/** What was being computed will not be: its promise may never settle by itself. */
export class DeviceLost extends Error {
  override readonly name = 'DeviceLost'; // by which the page knows it

  /** @param reason in words of the browser */
  constructor(
    backend: BackendName,
    readonly reason: string,
  ) {
    super(`${backend} has lost its device.`);
  }
}

export class Device {
  /** Answers, with a reason, when the device is lost: never, where there is none that could be. */
  readonly lost: Promise<string>;
  private reason: string | null = null;
  private readonly waiting = new Set<(error: DeviceLost) => void>();

  /** What TF.js has just started. @param told what the backend calls its device */
  constructor(
    readonly name: BackendName,
    readonly told: string,
  ) {
    this.lost = lossOf(name);
    void this.lost.then((reason) => {
      this.reason = reason;
      for (const reject of this.waiting) reject(new DeviceLost(name, reason));
    });
  }

  /** What `work` gives; throws {@link DeviceLost} where the device is lost first, or is the cause. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.reason !== null) throw new DeviceLost(this.name, this.reason);
    let reject!: (error: DeviceLost) => void;
    const loss = new Promise<never>((_, rejects) => (reject = rejects));
    this.waiting.add(reject);
    try {
      return await Promise.race([work(), loss]);
    } catch (error) {
      // an error of a lost device comes sooner than the message that it is lost
      if (this.reason === null) await Promise.race([this.lost, lossWouldBeTold(this.name)]);
      throw this.reason === null ? error : new DeviceLost(this.name, this.reason);
    } finally {
      this.waiting.delete(reject);
    }
  }
}
