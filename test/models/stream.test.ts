/** createStream: the outputs of the forward pass, sample by sample. */
import * as tf from '@tensorflow/tfjs';

import {LocalTransformerArgs, createStream, localTransformer} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, living, tensor} from '../support/close';
import {generator, uniform} from '../support/inputs';

const [B, N, D] = [2, 23, 6];
const ENCODER: LocalTransformerArgs = {
  ...{numTokens: null, dim: D, depth: 2, heads: 2, dimHead: 4},
  ...{localAttnWindowSize: 3, numResidualStreams: 2, seed: 5},
};

const samples = () => tensor(uniform(generator(7), [B, N, D]));
const part = (x: tf.Tensor, from: number, to: number) => tf.slice(x, [0, from, 0], [B, to - from, D]); // prettier-ignore

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test.each([[[1]], [[5, 0, 2, 9]]])(
    'pushed in parts of %p, each output is that of the forward pass, at once',
    async (sizes) => {
      const model = localTransformer(ENCODER);
      const stream = createStream(model, {batch: B});
      const x = samples();
      const got: tf.Tensor[] = [];
      for (let at = 0, turn = 0; at < N; turn++) {
        const end = Math.min(N, at + sizes[turn % sizes.length]);
        const pushed = part(x, at, end);
        got.push(stream.push(pushed));
        expect(got[turn].shape).toEqual([B, end - at, D]);
        expect(stream.position).toBe(end);
        pushed.dispose();
        at = end;
      }
      const all = tf.concat(got, 1);
      const whole = model.predict(x) as tf.Tensor;
      await expectClose('outputs', all, {shape: whole.shape, data: await whole.data()}, 1e-5);
      stream.dispose();
      tf.dispose([x, all, whole, got]);
      model.dispose();
    },
  );
});

describe('it keeps its promises:', () => {
  beforeAll(() => useBackend(BACKENDS[0]));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test('a snapshot is a value, to go back to; reset begins anew', async () => {
    const model = localTransformer(ENCODER);
    const stream = createStream(model, {batch: B});
    const x = samples();
    const push = async (from: number, to: number) => {
      const output = tf.tidy(() => stream.push(part(x, from, to)));
      const values = Array.from(await output.data());
      output.dispose();
      return values;
    };
    const first = await push(0, 4);
    const snapshot = stream.snapshot();
    expect(snapshot.position).toBe(4);
    const [next] = [await push(4, 9), await push(9, 13)];
    stream.restore(snapshot);
    expect(await push(4, 9)).toEqual(next);
    stream.reset();
    expect(stream.position).toBe(0);
    expect(await push(0, 4)).toEqual(first);
    expect(stream.batch).toBe(B);
    stream.dispose();
    tf.dispose([x]);
    snapshot.dispose();
    model.dispose();
  });

  test('bad samples are refused in words, and change nothing', () => {
    const model = localTransformer(ENCODER);
    const stream = createStream(model);
    const bad = [tf.zeros([1, 3, D + 1]), tf.zeros([2, 3, D]), tf.zeros([3, D]), tf.zeros([1, 3, D], 'int32')]; // prettier-ignore
    const shape = `[stream.push] samples must have the shape [B, m, dim] = [1, m, ${D}], got`;
    const sentences = [shape, shape, shape, '[stream.push] samples must be float32'];
    bad.forEach((x, i) => expect(() => stream.push(x)).toThrow(sentences[i]));
    expect(() => stream.restore({} as never)).toThrow(
      '[stream.restore] snapshot must be what stream.snapshot() answers, got {}.',
    );
    expect(stream.position).toBe(0);
    stream.dispose();
    expect(() => stream.push(bad[0])).toThrow('[stream.push] the stream has been disposed.');
    expect(() => stream.position).toThrow('[stream.position] the stream has been disposed.');
    tf.dispose(bad);
    model.dispose();
  });

  test('models that cannot be streamed are refused in words', () => {
    const words = localTransformer({...ENCODER, numTokens: 5, maxSeqLen: 8});
    const both = localTransformer({...ENCODER, causal: false});
    expect(() => createStream(words)).toThrow(
      '[createStream] model must be an encoder of vectors, numTokens: null; createDecoder is for tokens.',
    );
    expect(() => createStream(both)).toThrow('[createStream] ');
    expect(() => createStream(words, {batches: 2} as never)).toThrow("unknown option 'batches'");
    words.dispose();
    both.dispose();
  });
});
