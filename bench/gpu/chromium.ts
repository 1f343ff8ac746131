/** A case in a page of Chromium. */
import type {Page} from 'playwright-core';

import {inPath, launchChromium} from '../../scripts/chromium';
import type {Conversation, Json} from '../candidates/peers/conversation';
import type {Measured} from '../row';
import type {Message} from '../whole/answer';
import type {Profiled} from '../whole/page';
import type {Profile} from '../whole/profiled';
import type {GpuCase} from './case';
import {serve} from './server';

interface Opened {
  page: Page;
  /** Rejects when the page does. */
  crashed: Promise<never>;
  close(): Promise<void>;
}

/** @throws as runGpuCase, and if there is no Chromium */
export async function measureInChromium(
  c: GpuCase,
  say: (text: string) => void,
): Promise<Measured[]> {
  const {page, crashed, close} = await open(say);
  try {
    return await Promise.race([page.evaluate((given) => window.runCase(given), c), crashed]);
  } finally {
    await close();
  }
}

export async function profileInChromium(what: Profiled): Promise<Profile> {
  const {page, crashed, close} = await open(() => {});
  try {
    return await Promise.race([page.evaluate((given) => window.profile(given), what), crashed]);
  } finally {
    await close();
  }
}

/** A page that trains one candidate. */
export async function chromium(): Promise<Conversation> {
  const {page, crashed, close} = await open(() => {});
  crashed.catch(() => {}); // while nothing is asked
  return {
    async ask(message) {
      const asked = page.evaluate((given) => window.answer(given), message as unknown as Message);
      const answer: Json = await Promise.race([asked, crashed]);
      if (answer.error) throw new Error(String(answer.error));
      return answer;
    },
    close: () => void close(),
  };
}

/** A browser of its own, so that nothing of one case is left to another. @throws if there is none in PATH */
async function open(say: (text: string) => void): Promise<Opened> {
  const executable = inPath('chromium');
  if (!executable)
    throw new Error('chromium is not installed, in which webgl and webgpu are measured.');
  const {address, server} = await serve();
  const {context, close} = await launchChromium(executable);
  const page = await context.newPage();
  const crashed = new Promise<never>((_, reject) =>
    page.once('crash', () => reject(new Error('the page crashed.'))),
  );
  await page.exposeFunction('say', say);
  await page.goto(address);
  return {
    page,
    crashed,
    async close() {
      await close();
      server.close();
    },
  };
}
