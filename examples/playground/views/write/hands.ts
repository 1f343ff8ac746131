/**
 * Who writes: a worker on cpu, which is there at once since it needs neither a fetch nor a shader, and
 * beside it one on the backend that the visitor chose, which takes over when it is ready.
 */
import type {Remote} from 'comlink';

import type {attention} from '../../engine/attention';
import type {BackendName} from '../../engine/backend';
import {openEngine} from '../../engine/open';
import type {write} from '../../engine/write';

export interface Hand {
  name: BackendName;
  device: string;
  write: Remote<typeof write>;
  attention: Remote<typeof attention>;
  /** Answers with a sentence when the device is gone. */
  lost: Promise<string>;
  close(): void;
}

/** @throws Error whose message is a sentence for the visitor */
export async function openHand(name: BackendName): Promise<Hand> {
  const {engine, close} = await openEngine();
  try {
    const started = await engine.startBackend(name);
    if ('reason' in started) throw new Error(started.reason);
    const [write, attention] = await Promise.all([engine.write(), engine.attention()]);
    return {name, device: started.device, write, attention, lost: engine.whenLost(), close};
  } catch (error) {
    close();
    throw error;
  }
}

/** A hand that has written a character: its shaders are compiled. */
export async function openWarmHand(name: BackendName, text: string): Promise<Hand> {
  const hand = await openHand(name);
  try {
    await hand.write.begin(text, {temperature: 1, topP: 1, seed: 0});
    await hand.write.next();
    return hand;
  } catch (error) {
    hand.close();
    throw new Error(`${name} starts but cannot write: ${(error as Error).message}`, {cause: error});
  }
}
