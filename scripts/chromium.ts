/** Debian's chromium, without a window, with WebGL and WebGPU by SwiftShader where there is no GPU. */
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {BrowserContext, chromium} from 'playwright-core';

/** Where a program is in PATH; '' where it is not. */
export function inPath(program: string): string {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, program)).find(existsSync) ?? '';
}

/** With a profile of its own, which goes when it is closed. */
export async function launchChromium(
  executablePath: string,
): Promise<{context: BrowserContext; close(): Promise<void>}> {
  const profile = mkdtempSync(path.join(tmpdir(), 'chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--enable-unsafe-webgpu'],
  });
  const close = async () => {
    await context.close();
    rmSync(profile, {recursive: true, force: true});
  };
  return {context, close};
}
