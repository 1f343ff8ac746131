/** Checkpoints of the PyTorch original, both ways. */
import {loadCheckpoint, saveCheckpoint} from '../../models/checkpoint';
import {BACKENDS, useBackend} from '../support/backends';
import {
  CHECKPOINTS,
  fileOfCase,
  largestDifference,
  outputOf,
  targetOf,
} from '../support/checkpoints';
import {living} from '../support/close';

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(CHECKPOINTS)('$name: answers within 1e-4 of the original', async (c) => {
    const target = targetOf(c);
    const before = living();
    const {loaded, ignored} = await loadCheckpoint(target, fileOfCase(c));
    expect(largestDifference(await outputOf(target, c), c.output.data)).toBeLessThan(1e-4);
    expect(loaded).toHaveLength(target.weights.length);
    expect(ignored.every((name) => name.endsWith('attn_fn.rel_pos.inv_freq'))).toBe(true);
    expect(living()).toEqual(before);
    target.dispose();
  });

  test('what was loaded is saved in the same bytes as the original saved it', async () => {
    for (const c of CHECKPOINTS.filter(({name}) => !name.endsWith('float16'))) {
      const target = targetOf(c);
      await loadCheckpoint(target, fileOfCase(c));
      const before = living();
      const saved = await saveCheckpoint(target);
      expect(living()).toEqual(before);
      if (Buffer.compare(saved, fileOfCase(c)) !== 0) throw new Error(`${c.name}: other bytes`);
      target.dispose();
    }
  });
});
