/** The WebAssembly that ships is what its sources compile to, and fit to live in others' memory. */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';

import {bytesOf} from '../../kernels/program/module';

const VARIANTS = ['simd', 'relaxed', 'simdShared', 'relaxedShared'] as const;

test('the bytes come from the sources', () => {
  const script = join(__dirname, '..', '..', 'scripts', 'build_wasm.mjs');
  execFileSync(process.execPath, [script, '--check'], {stdio: 'pipe'});
});

describe.each(VARIANTS)('%s', (name) => {
  const bytes = Buffer.from(bytesOf(name));

  // either would write into memory that TF.js has given to somebody else
  test('has no data and no start function', () => {
    const DATA = 11;
    const START = 8;
    const found = sections(bytes);
    expect(found.length).toBeGreaterThan(5);
    expect(found).not.toContain(DATA);
    expect(found).not.toContain(START);
  });

  test('is small enough to be compiled while the page waits', () => {
    expect(bytes.length).toBeLessThan(32 * 1024);
  });
});

/** The ids of a module's sections. */
function sections(bytes: Buffer): number[] {
  const ids: number[] = [];
  let at = 8; // after magic and version
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    ids.push(bytes[at++]);
    const length = number();
    at += length;
  }
  return ids;
}
