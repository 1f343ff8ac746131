/** Laws of where tokens stand: moved, removed, padded. */
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {arbitraryCase} from '../support/arbitrary';
import {Case} from '../support/cases';
import {boolTensor, expectClose, expectSame, tensor} from '../support/close';
import {QUICK, useAnyBuild, useImplementation} from '../support/implementations';
import {CaseInputs, generator, inputsOf} from '../support/inputs';
import {Values} from '../support/naive';
import {truthOf} from '../support/truth';

const LAWS = 5; // one for each kind of positions
const RUNS = {seed: 4, numRuns: Number(process.env.CASES ?? 25)};

jest.setTimeout(60_000 + 300 * RUNS.numRuns);

describe.each(QUICK)('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  let checked = 0;
  afterAll(() => console.log(`${name}: ${checked} random cases of ${LAWS} laws`));

  /** Checks the law for random cases with these choices. */
  const law = (
    fixed: Parameters<typeof arbitraryCase>[0],
    check: (c: Case, values: CaseInputs) => Promise<void>,
  ) =>
    fc.assert(
      fc.asyncProperty(arbitraryCase(fixed), (c) => {
        checked++;
        return check(c, inputsOf(c));
      }),
      RUNS,
    );
  const attend = (c: Case, {q, k, v, naive}: CaseInputs): tf.Tensor => {
    const config = {...c.config, implementation: one.implementation};
    return localAttention(tensor(q), tensor(k), tensor(v), config, {
      mask: naive.mask && boolTensor(naive.mask),
      attnBias: naive.attnBias && tensor(naive.attnBias),
    });
  };

  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  test.each(['none', 'rotary', 'xpos'] as const)(
    'text moved by whole windows gives the moved output where all keys are still there: %s',
    (positions) =>
      law(
        {
          positions,
          exact: true,
          tokens: 24,
          bias: 'heads',
          dropout: false,
          kept: null,
          callWindow: undefined,
        },
        async (c, values) => {
          const {windowSize: w, lookBackward = 1} = c.config;
          const away = w * (1 + (Math.abs(c.seed!) % 2));
          const out = await attend(c, values);
          const moved = await attend(
            {...c, shape: withTokens(c, 24 - away)},
            map(values, (x) => tokens(x, away, 24)),
          );
          // the windows that look back to where the text now begins see less
          const from = away + lookBackward * w;
          if (from >= 24) return;
          const want = tokens({shape: out.shape, data: await out.data()}, from, 24);
          const got = tokens(
            {shape: moved.shape, data: await moved.data()},
            from - away,
            24 - away,
          );
          await expectClose('out', tensor(got), want, 2 * truthOf(c).wanted[0].tolerance);
        },
      ),
  );

  test('a masked token is as good as none at all, where positions do not matter', () =>
    law(
      {
        positions: 'none',
        window: 20,
        back: 0,
        forward: 0,
        exact: false,
        bias: 'none',
        dropout: false,
        leading: [],
        kept: null,
      },
      async (c, values) => {
        const n = c.shape[0];
        const left = Array.from({length: n}, (_, token) => token).filter(
          (token) => (c.seed! >> token) & 1,
        );
        if (left.length === 0) return;
        const mask = {
          shape: [1, n],
          data: Array.from({length: n}, (_, token) => +left.includes(token)),
        };
        const masked = await attend(c, {...values, naive: {mask}});
        const pick = (x: Values) => ({
          shape: [left.length, x.shape[1]],
          data: left.flatMap((token) => Array.from(tokens(x, token, token + 1).data)),
        });
        const removed = await attend({...c, shape: [left.length, c.shape[1]]}, map(values, pick));
        const want = pick({shape: masked.shape, data: await masked.data()});
        await expectClose('out', removed, want, 2 * truthOf(c).wanted[0].tolerance);
      },
    ));

  test('autopad is padding by hand with anything, masked, and cutting, bit for bit', () =>
    law({dropout: false, callWindow: undefined}, async (c, values) => {
      const n = c.shape[c.shape.length - 2];
      const {windowSize: w} = c.config;
      const whole = Math.ceil(n / w) * w;
      const random = generator(1);
      const padded = map(values, (x) => ({
        shape: withTokens({shape: [...x.shape]}, whole),
        data: padEach(x, whole, () => 2 * random() - 1),
      }));
      const given = values.naive.mask ?? {shape: [1, n], data: new Array(n).fill(1)};
      const mask = {
        shape: [given.shape[0], whole],
        data: padEach({shape: [...given.shape, 1], data: given.data}, whole, () => 0),
      };
      const config = {...c.config, autopad: false};
      const inputs = {...padded, naive: {...values.naive, mask}};
      const byHand = await attend({...c, config}, inputs);
      const automatic = await attend(c, values);
      const cut = tokens({shape: byHand.shape, data: await byHand.data()}, 0, n);
      await expectSame(automatic, tensor(cut), () => 2 * truthOf(c).wanted[0].tolerance);
    }));
});

function map(values: CaseInputs, f: (x: Values) => Values): CaseInputs {
  const {q, k, v, dout, naive} = values;
  return {q: f(q), k: f(k), v: f(v), dout: f(dout), naive};
}

function withTokens({shape}: Pick<Case, 'shape'>, n: number): number[] {
  return [...shape.slice(0, -2), n, shape[shape.length - 1]];
}

/** Tokens from … to − 1 of each sequence. */
function tokens({shape, data}: Values, from: number, to: number): Values {
  const [n, width] = shape.slice(-2);
  const within = (_: number, at: number) => {
    const token = Math.floor(at / width) % n;
    return token >= from && token < to;
  };
  return {shape: withTokens({shape: [...shape]}, to - from), data: Array.from(data).filter(within)};
}

function padEach({shape, data}: Values, whole: number, filler: () => number): number[] {
  const [n, width] = shape.slice(-2);
  const all = Array.from(data);
  const sequences = Array.from({length: all.length / (n * width)}, (_, at) => [
    ...all.slice(at * n * width, (at + 1) * n * width),
    ...Array.from({length: (whole - n) * width}, filler),
  ]);
  return sequences.flat();
}
