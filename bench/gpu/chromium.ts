/** A case in a page of Chromium. */
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {chromium} from 'playwright-core';

import type {Measured} from '../row';
import type {GpuCase} from './case';
import {serve} from './server';

/** A browser of its own, so that nothing of one case is left to another. @throws as runGpuCase */
export async function measureInChromium(
  c: GpuCase,
  say: (text: string) => void,
): Promise<Measured[]> {
  const profile = mkdtempSync(path.join(tmpdir(), 'bench-chromium-'));
  const {address, server} = await serve();
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumHere(),
    headless: true,
    args: ['--no-sandbox', '--enable-unsafe-webgpu'],
  });
  try {
    const page = await context.newPage();
    const crashed = new Promise<never>((_, reject) =>
      page.once('crash', () => reject(new Error('the page crashed.'))),
    );
    await page.exposeFunction('say', say);
    await page.goto(address);
    return await Promise.race([page.evaluate((given) => window.runCase(given), c), crashed]);
  } finally {
    await context.close();
    server.close();
    rmSync(profile, {recursive: true, force: true});
  }
}

/** @throws if there is none in PATH */
export function chromiumHere(): string {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = folders.map((folder) => path.join(folder, 'chromium')).find(existsSync);
  if (!found) throw new Error('chromium is not installed, in which webgl and webgpu are measured.');
  return found;
}
