/**
 * Debian's firefox-esr. Without a window it has no WebGL, so it gets a screen that nobody sees; GPUs
 * are those of Mesa, and for WebGPU the SwiftShader of Debian's chromium, where there are none.
 */
import {ChildProcess, spawn} from 'node:child_process';

import puppeteer from 'puppeteer-core';

import {FIREFOX, XVFB} from './browser';
import {Browser, LOADED_MS, TestedPage} from './chromium';
import {SWIFTSHADER} from '../../scripts/dawn';

const PREFERENCES = {
  'webgl.force-enabled': true,
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
};

export async function openFirefox(): Promise<Browser> {
  const screen = spawn(XVFB, ['-displayfd', '1', '-screen', '0', '640x480x24']);
  const display = `:${await firstLine(screen)}`;
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: false,
    extraPrefsFirefox: PREFERENCES,
    protocolTimeout: 0,
    env: {VK_ICD_FILENAMES: SWIFTSHADER, ...process.env, DISPLAY: display},
  });
  const close = async () => {
    await browser.close();
    screen.kill();
  };
  const newPage = async () => {
    const page = await browser.newPage();
    page.setDefaultNavigationTimeout(LOADED_MS);
    return page as unknown as TestedPage;
  };
  return {newPage, version: await browser.version(), close};
}

function firstLine({stdout}: ChildProcess): Promise<string> {
  return new Promise((found) => void stdout!.once('data', (line) => found(String(line).trim())));
}
