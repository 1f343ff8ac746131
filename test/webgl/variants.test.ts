/** Every text of a shader that the passes make, to a compiler: what no case of other tests happens to need too. */
import * as tf from '@tensorflow/tfjs';

import type {WebGLBackend} from '../../kernels/webgl/backend';
import {deviceOf} from '../../kernels/webgl/device';
import {passesFor} from '../../kernels/webgl/passes';
import {biasGradient} from '../../kernels/webgl/passes/bias_gradient';
import {output, statisticsOutput} from '../../kernels/webgl/passes/finish';
import * as gradients from '../../kernels/webgl/passes/finish_gradients';
import {exists, norms} from '../../kernels/webgl/passes/place';
import {rowGradient} from '../../kernels/webgl/passes/score_gradient';
import {statistics} from '../../kernels/webgl/passes/softmax';
import {OPTIONS, Pass, programOf} from '../../kernels/webgl/program';
import {BACKENDS, useBackend} from '../support/backends';

/** Milliseconds. Where there is no GPU, most of the work is done at the first draw instead. */
const LIMIT = 5000;

const {alongKeys, keyGradient, queryGradient, valueGradient} = gradients;

/** Those whose text does not depend on the number of targets, but for a define. */
const OTHERS = [
  ...[biasGradient, output, statisticsOutput, exists, norms, rowGradient, statistics],
  ...[alongKeys, keyGradient, queryGradient, valueGradient],
];

/** Every choice of 0 or 1 for the names. */
function choices(names: readonly string[]): Record<string, number>[] {
  return Array.from({length: 2 ** names.length}, (_, bits) =>
    Object.fromEntries(names.map((name, at) => [name, (bits >> at) & 1])),
  );
}

/** The defines of each variant of a pass, as draw.ts makes them. */
function variantsOf({options, tensors}: Pass): Record<string, number>[] {
  const none = Object.fromEntries(OPTIONS.map((name) => [name, 0]));
  const packed = tensors.map((name) => `${name.toUpperCase()}_PACKED`);
  return choices([...options, ...packed]).map((chosen) => ({...none, ...chosen}));
}

(BACKENDS.includes('webgl') ? describe : describe.skip)('webgl', () => {
  beforeAll(() => useBackend('webgl'));

  test.each([8, 4, 2, 1])('each compiles within 5 s that writes %d targets', (targets) => {
    const device = deviceOf(tf.backend() as unknown as WebGLBackend);
    if (targets > device.targets) return;
    let count = 0;
    for (const pass of [...Object.values(passesFor(targets)), ...OTHERS]) {
      for (const defines of variantsOf(pass)) {
        for (let first = 0; first < (pass.results?.length ?? 1); first += targets) {
          const begin = performance.now();
          const {program} = programOf(device, pass, defines, targets, first);
          expect(device.gl.getProgramParameter(program, device.gl.LINK_STATUS)).toBe(true);
          expect(performance.now() - begin).toBeLessThan(LIMIT);
          count++;
        }
      }
    }
    console.log(`${count} variants of ${targets} targets`);
  });
});
