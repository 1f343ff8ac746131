/* eslint-disable @typescript-eslint/no-explicit-any -- a page's globals, whatever has made them */

export interface Training {
  backend: string;
  steps: number;
}

/** What a model has done that was trained in a page or in a worker. */
export interface Trained {
  /** At the first step and at the last. */
  losses: [number, number];
  /** Tensors and data ids after the first step, and after the others. */
  held: [string, string];
  /** Whether predictions are by the fused kernels. */
  fused: boolean;
  predictions: number[];
  /** The same by the model that was saved to IndexedDB, and loaded. */
  loaded: number[];
}

/**
 * The model of examples/sequential_fit.ts on a wave: trained, saved to IndexedDB and loaded. Leaves
 * the model in `globalThis.model`. Sent to pages as text, so all that it names is in it.
 */
export async function train({backend, steps}: Training): Promise<Trained> {
  const {tf, tfjsLocalAttention: ours} = globalThis as any;
  if (!(await tf.setBackend(backend))) throw new Error(`${backend} did not start`);
  const initializer = (seed: number) => tf.initializers.glorotNormal({seed});
  const attention = {dim: 16, heads: 4, dimHead: 8, windowSize: 12, causal: true};
  const model = tf.sequential({
    layers: [
      tf.layers.dense({units: 16, kernelInitializer: initializer(1), inputShape: [null, 1]}),
      ours.layers.localMHA({...attention, kernelInitializer: initializer(2)}),
      tf.layers.dense({units: 16, activation: 'relu', kernelInitializer: initializer(3)}),
      tf.layers.dense({units: 1, kernelInitializer: initializer(4)}),
    ],
  });
  model.compile({optimizer: tf.train.adam(0.01), loss: 'meanSquaredError'});

  const wave = Array.from({length: 48}, (_, i) => Math.sin(i / 2) + Math.cos(i / 3));
  const sequence = (values: number[]) => tf.tensor3d(values, [1, values.length, 1]);
  const [x, y] = [sequence(wave.slice(0, -1)), sequence(wave.slice(1))];
  const held = () => `${tf.memory().numTensors} tensors, ${tf.backend().numDataIds()} data ids`;
  const first = await model.fit(x, y, {epochs: 1, verbose: 0}); // makes the optimizer's moments
  const before = held();
  const {history} = await model.fit(x, y, {epochs: steps - 1, verbose: 0});
  const after = held();

  const predict = async (by: any) => {
    const out = by.predict(x);
    const values = Array.from((await out.data()) as Float32Array);
    out.dispose();
    return values;
  };
  const {kernelNames} = await tf.profile(() => tf.tidy(() => void model.predict(x)));
  const url = `indexeddb://${backend}`;
  await model.save(url);
  const loaded = await tf.loadLayersModel(url);
  const answer: Trained = {
    losses: [first.history.loss[0], history.loss[steps - 2]],
    held: [before, after],
    fused: kernelNames.includes('LocalAttention'),
    predictions: await predict(model),
    loaded: await predict(loaded),
  };
  Object.assign(globalThis, {model, x});
  return answer;
}

/** What the model that `train` left predicts by what its download holds. */
export async function predictByFiles(files: {name: string; base64: string}[]): Promise<number[]> {
  const {tf, x} = globalThis as any;
  const given = files.map(({name, base64}) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return new File([bytes], name);
  });
  const model = await tf.loadLayersModel(tf.io.browserFiles(given));
  return Array.from((await model.predict(x).data()) as Float32Array);
}
