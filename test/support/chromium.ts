/** Debian's chromium, without a window, with WebGL and WebGPU by SwiftShader where there is no GPU. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {BrowserContext, chromium} from 'playwright-core';

import {CHROMIUM} from './browser';

export interface Browser {
  context: BrowserContext;
  version: string;
  close(): Promise<void>;
}

export async function openChromium(): Promise<Browser> {
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
  return {context, version: context.browser()?.version() ?? '', close};
}
