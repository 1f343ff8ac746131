/** Our step of Adam against that of TF.js, bit for bit. */
import * as tf from '@tensorflow/tfjs';

import * as direct from '../../kernels/program/direct';
import {ADAM} from '../../kernels/tfjs/adam';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';
import {someValues} from '../support/replaced';

type Apply = (gradients: unknown) => void;

const prototype = tf.AdamOptimizer.prototype as unknown as {applyGradients: Apply};
const theirs = prototype.applyGradients;
const ours = ADAM.make(theirs) as unknown as Apply;
afterEach(() => void (prototype.applyGradients = theirs));

const SHAPES = {scalar: [], row: [7], matrix: [41, 13], none: [0, 3]};

/** What variables and moments are after `steps` steps by `method`. */
function train(method: Apply, steps: number, asList: boolean, spoilt: number[] = []) {
  prototype.applyGradients = method;
  const optimizer = tf.train.adam(0.03, 0.8, 0.95, 1e-6);
  const variables = Object.entries(SHAPES).map(([name, shape]) =>
    tf.variable(someValues(shape), true, `${name}_${living().tensors}`),
  );
  const bytes: string[] = [];
  const report = (tensors: tf.Tensor[]) =>
    tensors.forEach((one) => bytes.push(Buffer.from(new Uint8Array(one.dataSync().slice().buffer)).toString('hex'))); // prettier-ignore
  for (let step = 0; step < steps; step++) {
    const gradients = variables.map((variable, i) => {
      const gradient = tf.mul(someValues(variable.shape), 10 ** (step - 2 + i));
      return spoilt[step] !== undefined && i === 1 ? tf.mul(gradient, spoilt[step]) : gradient;
    });
    const named = variables.map(({name}, i) => ({name, tensor: gradients[i]}));
    const map = Object.fromEntries(named.map(({name, tensor}) => [name, tensor]));
    if (step === 1) map[variables[0].name] = null as unknown as tf.Tensor; // it got no gradient
    const before = living();
    optimizer.applyGradients((asList ? named : map) as never);
    if (step > 0) expect(living()).toEqual(before);
    report(variables);
    tf.dispose(gradients);
  }
  tf.dispose(variables);
  optimizer.dispose();
  return bytes;
}

describeSynchronous('a step of adam on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    ['by their names', false],
    ['in a list', true],
  ])('is bit for bit that of TF.js, with gradients %s, and leaves nothing behind', (_, asList) => {
    const found = train(ours, 6, asList);
    expect(found).toHaveLength(6 * Object.keys(SHAPES).length);
    expect(found).toEqual(train(theirs, 6, asList));
  });

  test('is the same where the program does not run', () => {
    const program = jest.spyOn(direct, 'directAll').mockReturnValue(null);
    const found = train(ours, 3, false);
    expect(program.mock.calls.length > 0).toBe(['cpu', 'wasm', 'tensorflow'].includes(backend));
    program.mockRestore();
    expect(found).toEqual(train(theirs, 3, false));
  });

  test('NaN and infinities pass as by TF.js', () => {
    const finite = (bytes: string[]) => bytes.map((hex) => hex.replace(/0000[c7f]+f/g, 'nan'));
    for (const spoilt of [NaN, Infinity, -Infinity]) {
      const given = [1, 1, spoilt, 1];
      expect(finite(train(ours, 4, false, given))).toEqual(finite(train(theirs, 4, false, given)));
    }
  });

  test("runs one kernel a variable where there is one, and is TF.js's elsewhere", async () => {
    prototype.applyGradients = ours;
    const optimizer = tf.train.adam(0.01);
    const w = tf.variable(tf.ones([4]));
    const {kernels} = await tf.profile(() => {
      optimizer.applyGradients({[w.name]: tf.ones([4])} as never);
      return tf.scalar(0);
    });
    const steps = kernels.filter(({name}) => name === 'LocalAttentionAdamStep').length;
    expect(steps).toBe(['cpu', 'wasm', 'tensorflow'].includes(backend) ? 1 : 0);
    const changed = w.dataSync()[0];
    expect(changed).toBeCloseTo(0.99, 6);
  });

  test('a gradient of another shape is handed on, where TF.js broadcasts it', () => {
    const values = [ours, theirs].map((method) => {
      prototype.applyGradients = method;
      const optimizer = tf.train.adam(0.01);
      const w = tf.variable(tf.ones([2, 3]));
      optimizer.applyGradients({[w.name]: tf.tensor([1, -2, 3])} as never);
      return [...w.dataSync()];
    });
    expect(values[0]).toEqual(values[1]);
  });
});
