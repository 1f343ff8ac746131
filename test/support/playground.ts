/** The playground as `npm run build:playground` makes it, in a page that tests drive. */
import {existsSync, readFileSync, statSync} from 'node:fs';
import {extname, join} from 'node:path';
import type {Page} from 'playwright-core';

import {NO_BROWSER} from './browser';
import {Resource} from './server';

const SITE = join(__dirname, '../../site');
const AXE = require.resolve('axe-core/axe.min.js');

/** Why the playground is not tested, or null. */
export const NO_SITE =
  NO_BROWSER ??
  (existsSync(join(SITE, 'index.html')) ? null : 'npm run build:playground has not been run');

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain',
};

/**
 * What lies at a path of the site, which is served under each of the `places`: its workers first run
 * the script that is given for the place.
 */
export function siteUnder(places: Record<string, string>): (path: string) => Resource | null {
  return (path) => {
    const [, place, rest] = /^\/([^/]*)\/(.*)$/.exec(path) ?? [];
    if (place === undefined || !(place in places)) return null;
    const file = join(SITE, rest === '' ? 'index.html' : rest);
    if (!file.startsWith(SITE) || !existsSync(file) || !statSync(file).isFile()) return null;
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    const body = readFileSync(file);
    if (!/worker-[^/]*\.js$/.test(file)) return {type, body};
    return {type, body: `${places[place]}\n${body.toString()}`};
  };
}

/** Scripts for places whose workers are not as they should be. */
export const PLACES = {
  'a-place': '',
  bare: `OffscreenCanvas.prototype.getContext = () => null; delete WorkerNavigator.prototype.gpu;`,
  adapterless: `if (globalThis.GPU) GPU.prototype.requestAdapter = async () => null;`,
  broken: `throw new Error('this worker is broken');`,
  losing: `
    globalThis.lose = [];
    const {getContext} = OffscreenCanvas.prototype;
    OffscreenCanvas.prototype.getContext = function (...all) {
      const context = getContext.apply(this, all);
      lose.push(() => context?.getExtension('WEBGL_lose_context')?.loseContext());
      return context;
    };
    const {requestDevice} = globalThis.GPUAdapter?.prototype ?? {};
    if (requestDevice) GPUAdapter.prototype.requestDevice = async function (...all) {
      const device = await requestDevice.apply(this, all);
      lose.push(() => device.destroy());
      return device;
    };`,
};

/** Every worker of a page of the place 'losing' loses its device. */
export async function loseDevices(page: Page): Promise<void> {
  for (const worker of page.workers()) {
    await worker.evaluate(() => {
      for (const one of (globalThis as unknown as {lose: (() => void)[]}).lose) one();
    });
  }
}

export interface Violation {
  id: string;
  help: string;
  nodes: string[];
}

/** Expects, in light and dark, at 1280 and 360 px, that axe-core finds nothing and nothing is wider than the screen. */
export async function expectUsable(page: Page, when: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({colorScheme});
    for (const width of [1280, 360]) {
      await page.setViewportSize({width, height: 800});
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const found = await violations(page);
      const here = {when, colorScheme, width};
      expect({...here, wider, found}).toEqual({...here, wider: 0, found: []});
    }
  }
}

/** What axe-core finds in the page as it is now. */
export async function violations(page: Page): Promise<Violation[]> {
  await page.addScriptTag({path: AXE});
  return page.evaluate(async () => {
    interface Found {
      violations: {id: string; help: string; nodes: {html: string; failureSummary: string}[]}[];
    }
    const {axe} = globalThis as unknown as {axe: {run(): Promise<Found>}};
    const {violations} = await axe.run();
    return violations.map(({id, help, nodes}) => ({
      ...{id, help},
      nodes: nodes.map(({html, failureSummary}) => `${html}: ${failureSummary}`),
    }));
  });
}
