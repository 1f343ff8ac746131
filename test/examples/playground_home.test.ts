/** Where the playground's model lives while its device comes and goes. */
import {Alphabet} from '../../examples/char_lm/alphabet';
import {buildModel} from '../../examples/char_lm/model';
import type {TrainEvent} from '../../examples/playground/engine/training/events';
import {Home} from '../../examples/playground/engine/training/home';

beforeAll(
  () => void ((globalThis as {navigator?: unknown}).navigator ??= {hardwareConcurrency: 2}),
);

const alphabet = Alphabet.of('abcabc');
const pupil = (seed: number) => ({
  written: {
    model: buildModel(alphabet.size, {dim: 8, heads: 1, depth: 1, window: 2, seed}),
    alphabet,
  },
  ...{steps: 0, bits: null},
});
/** As when the device is lost. */
const lose = (home: Home) =>
  (home as unknown as {recover(reason: string): Promise<void>}).recover('it was unplugged');

async function settled() {
  const events: TrainEvent[] = [];
  const home = new Home((event) => void events.push(event));
  await home.use('cpu');
  await home.settle(pupil(1));
  return {home, events};
}

test('after a loss a plan goes on where it was kept last', async () => {
  const {home, events} = await settled();
  home.at = home.pupil!.steps = 7;
  await home.keep();
  home.at = home.pupil!.steps = 9;
  await lose(home);
  expect([home.at, home.pupil!.steps]).toEqual([7, 7]);
  expect(events).toEqual([
    {kind: 'lost', backend: 'cpu', reason: 'it was unplugged', now: 'cpu', step: 7},
  ]);
});

test('a plan that has begun begins again, though one before it had been kept at its end', async () => {
  const {home} = await settled();
  home.at = home.pupil!.steps = 300;
  await home.keep();
  home.begin();
  await lose(home);
  expect([home.at, home.pupil!.steps]).toEqual([0, 300]);
});

test('a loss of which two hear is recovered from once, and what is asked meanwhile waits', async () => {
  const {home, events} = await settled();
  const both = [lose(home), lose(home)];
  const model = await home.exclusively(async () => home.pupil!.written.model);
  await Promise.all(both);
  expect(events).toHaveLength(1);
  expect(home.pupil!.written.model).toBe(model); // that of after the loss
});

test('a model that cannot be kept does not take the place of the one that there is', async () => {
  const {home} = await settled();
  const other = pupil(2);
  other.written.model.save = () => Promise.reject(new Error('no room'));
  const {model} = home.pupil!.written;
  await expect(home.settle(other)).rejects.toThrow('no room');
  expect(home.pupil!.written.model).toBe(model);
  expect(model.countParams()).toBeGreaterThan(0);
});
