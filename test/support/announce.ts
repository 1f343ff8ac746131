import {whyNoGpu} from './dawn';
import {isWanted} from './named';

/**
 * Once per run, so that a green run says what it covered.
 *
 * TF.js keeps its engine on the global object, and Jest lends what it finds there to every test:
 * all files would share one engine, of another realm. So nothing is left behind.
 */
export default async function announce() {
  const before = new Set(Object.keys(globalThis));
  if (isWanted('webgpu')) {
    process.env.NO_WEBGPU = (await whyNoGpu()) ?? '';
  }
  const {COVERED, SKIPPED} = await import('./backends');
  const skipped = SKIPPED.map((reason) => `; skipped: ${reason}`).join('');
  console.log(`\nbackends: ${COVERED.join(', ')}${skipped}`);
  if (!COVERED.some((name) => ['cpu', 'wasm', 'tensorflow'].includes(name))) {
    console.log('skipped: test/parity (no fused kernels on these backends)');
  }
  const {NO_BROWSER, NO_FIREFOX, NO_SCRIPT} = await import('./browser');
  if (NO_BROWSER) console.log(`skipped: Chromium (${NO_BROWSER})`);
  else if (NO_SCRIPT) console.log(`skipped: what ships, in a browser (${NO_SCRIPT})`);
  if (NO_FIREFOX) console.log(`skipped: Firefox (${NO_FIREFOX})`);
  const added = Object.keys(globalThis).filter((name) => !before.has(name));
  for (const name of added) delete (globalThis as Record<string, unknown>)[name];
}
