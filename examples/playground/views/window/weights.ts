/** The attention weights of the shipped model on a text, from a worker: the latest asked for alone. */
import type {Attention} from '../../engine/attention';
import {OpenEngine, openEngine} from '../../engine/open';
import {Window, allOptions} from './options';

export interface Asked {
  text: string;
  window: Window;
}

export interface Answer {
  asked: Asked;
  attention: Attention;
}

/** Where the small model starts soonest comes first. */
const PREFERRED = ['wasm', 'cpu'] as const;

/**
 * Returns a function that asks. While one answer is awaited, only the last question is kept, so that
 * a slider that is dragged does not queue; `fail` hears in words what went wrong.
 */
export function weightsOf(
  answer: (answer: Answer) => void,
  fail: (reason: string) => void,
): (asked: Asked) => void {
  let engine: Promise<OpenEngine> | null = null;
  let next: Asked | null = null;
  let busy = false;

  const work = async () => {
    busy = true;
    while (next) {
      const asked: Asked = next;
      next = null;
      try {
        engine ??= begin();
        const attention = await (await engine).engine.attention();
        const window = allOptions(asked.window);
        answer({asked, attention: await attention.attentionOf(asked.text, window)});
      } catch (error) {
        // a device may be lost: the next question begins with a new worker
        (await engine?.catch(() => null))?.close();
        engine = null;
        fail((error as Error).message);
      }
    }
    busy = false;
  };
  return (asked) => {
    next = asked;
    if (!busy) void work();
  };
}

async function begin(): Promise<OpenEngine> {
  const opened = await openEngine();
  const reasons: string[] = [];
  for (const name of PREFERRED) {
    const started = await opened.engine.startBackend(name);
    if ('device' in started) return opened;
    reasons.push(started.reason);
  }
  opened.close();
  throw new Error(reasons.join(' '));
}
