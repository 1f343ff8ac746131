/** A process that saves two models in turns into one directory, until its parent ends it. */
import {fileSystem} from '../../src/node';

/** How many weights either model has; each weight is this number too. */
export const SIZES = [3, 5000];

export const sizedModel = (size: number) => ({
  modelTopology: {size},
  weightSpecs: [{name: 'a', shape: [size], dtype: 'float32' as const}],
  weightData: new Float32Array(size).fill(size).buffer,
});

async function saveInALoop(directory: string): Promise<never> {
  for (let saves = 0; ; saves++) {
    await fileSystem(directory).save!(sizedModel(SIZES[saves % 2]));
    if (saves === 0) process.send!('saving');
  }
}

if (process.argv[1] === __filename) void saveInALoop(process.argv[2]);
