/**
 * What depends on the process: where an engine reserves no memory for WebAssembly, or none that
 * threads share, or not two at a time, since V8 reserves 10 GiB of addresses for each; and options.
 */
import {BACKENDS} from '../support/backends';
import {runChild} from '../support/child';

const ONE_MEMORY = 14_000_000; // KiB
const NO_MEMORY = 9_000_000;

/** Calls that say whether a fused kernel computed them, and what. */
const callsOn = (backend: string) => `
  await tf.setBackend('${backend}');
  const x = tf.ones([1, 1024, 256]);
  const config = {windowSize: 64, useRotaryPosEmb: false};
  const call = async (size, implementation = 'auto') => {
    const part = tf.slice(x, [0, 0, 0], size);
    let out;
    const {kernelNames} = await tf.profile(() => {
      out = localAttention(part, part, part, {...config, implementation});
    });
    return kernelNames.includes('LocalAttention') + ' ' + out.dataSync()[5];
  };
  const small = async () => console.log(await call([1, 64, 8]));
  const both = async () => console.log(await call([1, 64, 8]), await call([1, 1024, 256]));`;
const CALLS = callsOn('cpu');

test('one memory at a time: threads have it, also after ready() was called again', () => {
  const printed = runChild(
    `${CALLS}
    await both();
    for (const threads of [2, 2, 1, 2]) {
      console.log(await ready({threads}));
      await both();
    }`,
    {addresses: ONE_MEMORY},
  );
  const calls = 'true 1 true 1';
  expect(printed).toEqual([calls, '2', calls, '2', calls, '1', calls, '2', calls]);
}, 60_000);

const onWasm = BACKENDS.includes('wasm') ? test : test.skip;
if (onWasm !== test) console.log('skipped: one memory, on wasm (wasm is not in this run)');
onWasm(
  'one memory, which TF.js has on wasm: no threads, and its kernels go on',
  () => {
    const printed = runChild(
      `require('@tensorflow/tfjs-backend-wasm');
    tf.env().set('IS_TEST', false); // which takes each copy that wasm saves for a leak
    ${callsOn('wasm')}
    await both();
    console.log(await ready());
    await both();`,
      {addresses: ONE_MEMORY},
    );
    expect(printed).toEqual(['true 1 true 1', '1', 'true 1 true 1']);
  },
  60_000,
);

test('a memory that something else holds: reasons by name, no threads and the composite', () => {
  const printed = runChild(
    `const held = new WebAssembly.Memory({initial: 1});
    ${CALLS}
    await small();
    console.log(await ready());
    console.log(await ready({threads: 2}).catch(String));
    await small();
    console.log(await call([1, 64, 8], 'fused').catch(String));
    console.log(held.buffer.byteLength);`,
    {addresses: ONE_MEMORY},
  );
  expect(printed).toEqual([
    'false 1',
    '1',
    'RangeError: [ready] threads: 2 cannot be had: the engine reserves no memory that threads share.',
    'false 1',
    "RangeError: [localAttention] no fused kernel on 'cpu': the engine reserves no memory for " +
      "WebAssembly; use implementation: 'auto' or 'composite'.",
    '65536',
  ]);
}, 60_000);

test('no memory at all: one thread, and the composite', () => {
  const program = `${CALLS} await small(); console.log(await ready()); await small();`;
  expect(runChild(program, {addresses: NO_MEMORY})).toEqual(['false 1', '1', 'false 1']);
}, 60_000);

test('NODE_OPTIONS that read the source of threads as modules do threads no harm', () => {
  const program = `${CALLS} console.log(await ready({threads: 2})); await both();`;
  expect(runChild(program, {options: '--input-type=module'})).toEqual(['2', 'true 1 true 1']);
}, 60_000);
