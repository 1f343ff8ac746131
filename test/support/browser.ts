/** The browsers of tests, Debian's, and the script that `npm run build` makes. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';

import {inPath} from '../../scripts/chromium';

/** What ships for script tags. */
export const SCRIPT = join(__dirname, '..', '..', 'dist', 'tfjs-local-attention.min.js');

export const CHROMIUM = inPath('chromium');
export const FIREFOX = inPath('firefox-esr');
/** A screen that nobody sees. */
export const XVFB = inPath('Xvfb');

/** Why Chromium is not tested, or null. */
export const NO_BROWSER = CHROMIUM ? null : 'chromium is not installed';

/** Why Firefox is not tested, or null. */
export const NO_FIREFOX = FIREFOX && XVFB ? null : 'firefox-esr or xvfb is not installed';

/** Why what ships is not tested in a browser, or null. */
export const NO_SCRIPT =
  NO_BROWSER ?? (existsSync(SCRIPT) ? null : 'npm run build has not been run');

// as in BACKENDS, what is named must be there: BROWSERS=chromium,firefox
const absences: Record<string, string | null> = {chromium: NO_SCRIPT, firefox: NO_FIREFOX};
for (const name of process.env.BROWSERS ? process.env.BROWSERS.split(',') : []) {
  const absence = name in absences ? absences[name] : 'unknown';
  if (absence) throw new Error(`BROWSERS names what cannot run here: ${name} (${absence}).`);
}
