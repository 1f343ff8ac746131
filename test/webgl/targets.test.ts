/** On webgl, a device that draws to fewer targets than most: what its context says decides, and a flag. */
import * as tf from '@tensorflow/tfjs';

import {webgl} from '../../kernels/webgl';
import type {WebGLBackend} from '../../kernels/webgl/backend';
import {Implementation, localAttention} from '../../src';
import {registerFused} from '../../src/attention/fused';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';
import {gradientTolerance} from '../support/tolerance';
import {goToCpu} from './on_cpu';

const NAME = 'webgl-few';
const TARGETS = 'LOCAL_ATTENTION_WEBGL_TARGETS';

(BACKENDS.includes('webgl') ? describe : describe.skip)('webgl', () => {
  let gl: WebGL2RenderingContext;

  /** Runs `f` on a context of its own, spoilt before any kernel has asked it. */
  async function on(spoil: () => void, f: () => Promise<void> | void) {
    await useBackend('webgl');
    const Backend = tf.backend().constructor as new (canvas: OffscreenCanvas) => tf.KernelBackend;
    const backend = new Backend(new OffscreenCanvas(1, 1));
    gl = (backend as unknown as WebGLBackend).gpgpu.gl;
    spoil();
    tf.registerBackend(NAME, () => backend);
    tf.copyRegisteredKernels('webgl', NAME);
    registerFused({...webgl, backendName: NAME});
    await tf.setBackend(NAME);
    tf.engine().startScope();
    try {
      await f();
    } finally {
      tf.engine().endScope();
      tf.env().set(TARGETS, 'auto');
      await useBackend('webgl');
      tf.removeBackend(NAME);
    }
  }

  /** The context says that this is how many it draws to. */
  function drawsTo(most: number) {
    const {getParameter} = gl;
    gl.getParameter = (name) => (name === gl.MAX_DRAW_BUFFERS ? most : getParameter.call(gl, name));
  }

  const random = generator(6);
  const make = (...shape: number[]) => tensor(uniform(random, shape));
  const attendBy = (implementation: Implementation) => (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
    localAttention(q, k, v, {windowSize: 5, autopad: true, causal: true, implementation});

  test.each([4, 2, 1])('no draw is to more targets than the device has: %d', (most) => {
    const draws: number[] = [];
    return on(
      () => drawsTo(most),
      async () => {
        const {drawBuffers} = gl;
        gl.drawBuffers = (points) => {
          draws.push(points.length);
          drawBuffers.call(gl, points);
        };
        const inputs = [make(3, 23, 6), make(3, 23, 6), make(3, 23, 7)];
        const dout = make(3, 23, 7);
        const by = (implementation: Implementation) => {
          const {value, grads} = tf.valueAndGrads(attendBy(implementation))(inputs, dout);
          return [value, ...grads];
        };
        const results = by('fused');
        expect(Math.max(...draws)).toBe(most);
        await goToCpu(results);
        const tolerance = gradientTolerance({d: 6, context: 10, largestScore: 4});
        for (const [at, x] of by('composite').entries()) {
          const want = {shape: x.shape, data: await x.data()};
          await expectClose(['out', 'dq', 'dk', 'dv'][at], results[at], want, tolerance);
        }
      },
    );
  });

  test('more targets than it has are refused by name, and auto composes', () =>
    on(
      () => drawsTo(4),
      async () => {
        const x = make(5, 6);
        tf.env().set(TARGETS, 8);
        expect(() => attendBy('fused')(x, x, x)).toThrow(
          `no fused kernel on '${NAME}': ${TARGETS} asks for 8 targets, and this device draws to 4 at most`,
        );
        const {kernelNames} = await tf.profile(() => attendBy('auto')(x, x, x));
        expect(kernelNames).toContain('BatchMatMul');
        expect(kernelNames).not.toContain('LocalAttention');
        tf.env().set(TARGETS, 4);
        expect(() => attendBy('fused')(x, x, x)).not.toThrow();
      },
    ));

  test('a device on which no framebuffer of ours is complete says so', () =>
    on(
      () => (gl.checkFramebufferStatus = () => gl.FRAMEBUFFER_UNSUPPORTED),
      () => {
        const x = make(5, 6);
        expect(() => attendBy('fused')(x, x, x)).toThrow(
          'no framebuffer of this device is complete',
        );
      },
    ));

  test('a number of targets that is none is an error', () =>
    on(
      () => {},
      () => {
        const x = make(5, 6);
        tf.env().set(TARGETS, 3);
        const must = `the flag ${TARGETS} must be 'auto', 8, 4, 2 or 1, got 3`;
        for (const by of ['fused', 'auto'] as const) {
          expect(() => attendBy(by)(x, x, x)).toThrow(must);
        }
      },
    ));
});
