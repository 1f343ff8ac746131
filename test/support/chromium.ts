/** Chromium as tests use it. */
import type {BrowserContext} from 'playwright-core';

import {launchChromium} from '../../scripts/chromium';
import {CHROMIUM} from './browser';

/** What tests need of a page of any browser. */
export interface TestedPage {
  goto(url: string): Promise<unknown>;
  evaluate<Given, Answer>(f: (given: Given) => Answer, given: Given): Promise<Awaited<Answer>>;
}

export interface Browser {
  newPage(): Promise<TestedPage>;
  version: string;
  close(): Promise<void>;
}

/** How long a page may take to load: on two busy cores it took half a minute. */
export const LOADED_MS = 120_000;

export interface Chromium extends Browser {
  context: BrowserContext;
}

export async function openChromium(): Promise<Chromium> {
  const {context, close} = await launchChromium(CHROMIUM);
  context.setDefaultNavigationTimeout(LOADED_MS);
  const version = `chromium/${context.browser()?.version()}`;
  return {context, newPage: () => context.newPage() as Promise<TestedPage>, version, close};
}
