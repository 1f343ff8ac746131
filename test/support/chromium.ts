/** Debian's chromium, without a window, with WebGL and WebGPU by SwiftShader where there is no GPU. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {BrowserContext, chromium} from 'playwright-core';

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

export interface Chromium extends Browser {
  context: BrowserContext;
}

export async function openChromium(): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--enable-unsafe-webgpu'],
  });
  const close = async () => {
    await context.close();
    rmSync(profile, {recursive: true, force: true});
  };
  const version = `chromium/${context.browser()?.version()}`;
  return {context, newPage: () => context.newPage() as Promise<TestedPage>, version, close};
}
