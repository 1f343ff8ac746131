/** What the view "Train" shows of what its worker tells. */
import {changesBy} from '../../examples/playground/views/train/hearing';
import {START} from '../../examples/playground/views/train/state';

const before = {...START, told: 'Training on wasm.', bigram: 3.5};

test('the first look below the bigram is a milestone, and no later one', () => {
  expect(changesBy({kind: 'heldOut', step: 10, bits: 3.6}, before)).toEqual({bits: 3.6, told: 'Training on wasm.'}); // prettier-ignore
  const told = 'At step 20 it predicts better than the bigram does.';
  expect(changesBy({kind: 'heldOut', step: 20, bits: 3.4}, {...before, bits: 3.6})).toEqual({bits: 3.4, told}); // prettier-ignore
  expect(changesBy({kind: 'heldOut', step: 30, bits: 3.3}, {...before, bits: 3.4}).told).toBe(before.told); // prettier-ignore
  expect(changesBy({kind: 'heldOut', step: 1, bits: 1}, {...before, bigram: null}).told).toBe(before.told); // prettier-ignore
});

test('a loss names the backend that goes on, or says that none does', () => {
  const lost = {kind: 'lost', backend: 'webgl', reason: 'its context was lost'} as const;
  expect(changesBy({...lost, now: 'wasm', step: 40}, before)).toEqual({
    problem:
      'webgl lost its device (its context was lost): the model of step 40 goes on with wasm.',
  });
  expect(changesBy({...lost, now: null, step: 0}, before)).toEqual({
    problem: 'webgl lost its device (its context was lost): no other backend starts here.',
  });
});

test('pausing changes the phase, and a sample no words', () => {
  expect(changesBy({kind: 'paused', step: 7}, before)).toEqual({phase: 'paused', told: 'Paused at step 7.'}); // prettier-ignore
  expect(changesBy({kind: 'resumed'}, before).phase).toBe('training');
  expect(changesBy({kind: 'sample', step: 7, prompt: 'a', text: 'b'}, before)).toEqual({});
});
