import {BACKENDS, SKIPPED} from './backends';

/** Once per run, so that a green run says what it covered. */
export default function announce() {
  const skipped = SKIPPED.map((reason) => `; skipped: ${reason}`).join('');
  console.log(`\nbackends: ${BACKENDS.join(', ')}${skipped}`);
}
