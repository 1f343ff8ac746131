/** The browser of tests: Debian's chromium, with the script that `npm run build` makes. */
import {existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';

/** What ships for script tags. */
export const SCRIPT = join(__dirname, '..', '..', 'dist', 'tfjs-local-attention.min.js');

const folders = (process.env.PATH ?? '').split(delimiter);
const found = folders.map((folder) => join(folder, 'chromium')).find((file) => existsSync(file));

export const CHROMIUM = found ?? '';

/** Why no browser is tested, or null. */
export const NO_BROWSER = found ? null : 'chromium is not installed';

/** Why what ships is not tested in a browser, or null. */
export const NO_SCRIPT =
  NO_BROWSER ?? (existsSync(SCRIPT) ? null : 'npm run build has not been run');

// as in BACKENDS, what is named must be there
if (process.env.BROWSERS && (process.env.BROWSERS !== 'chromium' || NO_SCRIPT)) {
  const {BROWSERS} = process.env;
  throw new Error(`BROWSERS names what cannot run here: ${BROWSERS} (${NO_SCRIPT ?? 'unknown'}).`);
}
