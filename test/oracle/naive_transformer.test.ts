import {erf} from '../support/erf';
import {LocalTransformerFixture, localTransformerFixtures} from '../support/fixtures';
import {naiveLoss, naiveTransformer} from '../support/naive_transformer';
import {largest} from '../support/tolerance';

/** The fixtures keep fourteen digits, and the loops sum in another order. */
const TOLERANCE = 1e-12;

/** ids [B, n + 1] without their last column. */
function inputOf({ids, x}: LocalTransformerFixture) {
  if (!ids) return x!;
  const [batch, columns] = ids.shape;
  const data = ids.data.filter((_, at) => at % columns < columns - 1);
  return {shape: [batch, columns - 1], data};
}

describe('the reference answers as the PyTorch original', () => {
  let worst = 0;
  afterAll(() => console.log(`LocalTransformer: largest error ${worst.toExponential(1)}`));

  test.each(localTransformerFixtures())('LocalTransformer: $name', (fixture) => {
    const {config, weights, mask, output, ids, dout} = fixture;
    const got = naiveTransformer(inputOf(fixture), weights, config, mask);
    expect(got.shape).toEqual(output.shape);
    const errors = got.data.map((value, at) => Math.abs(value - output.data[at]));
    const error = Math.max(...errors) / largest(output.data);
    expect(error).toBeLessThan(TOLERANCE);
    worst = Math.max(worst, error);

    const [loss] = fixture.loss.data;
    const own = ids
      ? naiveLoss(got, ids, config.ignoreIndex)
      : dout!.data.reduce((sum, value, at) => sum + value * got.data[at], 0);
    expect(Math.abs(own - loss) / Math.abs(loss)).toBeLessThan(TOLERANCE);
  });
});

test('erf to the last digits', () => {
  // of the tables of Abramowitz and Stegun, and of Python's math.erf
  const known = [
    [0, 0],
    [0.5, 0.5204998778130465],
    [-1, -0.8427007929497149],
    [2, 0.9953222650189527],
    [3.5, 0.9999992569016276],
    [-5.9, -1],
    [8, 1],
  ];
  for (const [x, y] of known) expect(Math.abs(erf(x) - y)).toBeLessThan(1e-15);
});
