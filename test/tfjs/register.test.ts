/** Who may be replaced, when, and what is said of it. */
import * as tf from '@tensorflow/tfjs';

import type {Replaced} from '../../kernels/tfjs/register';

type Register = () => Replaced[];

const theirs = tf.getGradient('Tile');
afterEach(() => tf.registerGradient(theirs));

/** `registerFasterKernels` of one more copy of this package, over the one TF.js. */
function load(): Register {
  let register: Register | undefined;
  jest.isolateModules(() => {
    jest.doMock('@tensorflow/tfjs', () => tf);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a copy is made now
    register = (require('../../kernels/tfjs/register') as {registerFasterKernels: Register})
      .registerFasterKernels;
  });
  return register!;
}

const named = (replaced: Replaced[]) =>
  replaced.map((one) => `${one.backend} ${'kernel' in one ? one.kernel : one.gradient}`);

test('what is replaced is told by name, backend and reason', () => {
  const replaced = load()();
  expect(replaced).toContainEqual({
    gradient: 'Tile',
    backend: 'all',
    reason: expect.stringMatching(/once for each repetition/) as string,
  });
  expect(tf.getGradient('Tile').gradFunc).not.toBe(theirs.gradFunc);
  for (const {reason} of replaced) expect(reason.length).toBeGreaterThan(20);
});

test('nothing is replaced before it is asked for', () => {
  load();
  expect(tf.getGradient('Tile')).toBe(theirs);
});

test('a second call, and a second copy of the package, change nothing and tell the same', () => {
  const register = load();
  const first = register();
  const ours = tf.getGradient('Tile');
  expect(register()).toEqual(first);
  expect(load()()).toEqual(first);
  expect(tf.getGradient('Tile')).toBe(ours);
});

test('what somebody else has registered stays, before the first call and after it', () => {
  const register = load();
  const others: tf.GradConfig = {...theirs, gradFunc: (dy) => ({x: () => dy as tf.Tensor})};
  tf.registerGradient(others);
  expect(named(register())).not.toContain('all Tile');
  expect(tf.getGradient('Tile')).toBe(others);

  tf.registerGradient(theirs);
  expect(named(register())).toContain('all Tile');
  tf.registerGradient(others);
  expect(named(register())).not.toContain('all Tile');
  expect(tf.getGradient('Tile')).toBe(others);
});

test('what a second copy of TF.js registers anew is replaced too', () => {
  const register = load();
  const again = (): tf.GradConfig => ({
    ...theirs,
    gradFunc: new Function(`return ${String(theirs.gradFunc)}`)() as tf.GradConfig['gradFunc'],
  });
  tf.registerGradient(again());
  expect(named(register())).toContain('all Tile');
  tf.registerGradient(again());
  expect(named(register())).toContain('all Tile');
});

test('a backend whose package is imported later is replaced when it starts', async () => {
  const register = load();
  expect(named(register())).not.toContain('wasm Tile');
  await import('@tensorflow/tfjs-backend-wasm');
  const {kernelFunc} = tf.getKernel('Tile', 'wasm');
  await tf.setBackend('wasm');
  expect(tf.getKernel('Tile', 'wasm').kernelFunc).not.toBe(kernelFunc);
  expect(named(register())).toEqual(expect.arrayContaining(['all Tile', 'wasm Tile']));
  const x = tf.tensor([1, 2]);
  expect([...tf.tile(x, [2]).dataSync()]).toEqual([1, 2, 1, 2]);

  tf.removeBackend('wasm');
});
