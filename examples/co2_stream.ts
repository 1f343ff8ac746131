/**
 * Forecasts CO2 month by month: an encoder is trained on the months before 2010, then told each later one
 * as it comes by createStream, and answers with the next. In some seconds you will see
 *
 *     Loss: 0.968, after 150 epochs 0.089
 *     2010-01: 388.40 forecast, 388.55 measured
 *     2010-02: 389.33 forecast, 390.08 measured
 *     and so on, and at the end:
 *     Mean absolute error of 124 months from 2010 on, in ppm: 0.38
 *     Largest difference to forecasts of all months at once: 0.0000
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import {createStream, localTransformer, registerFasterKernels} from 'tfjs-local-attention';

import {readSeries} from './co2_series';

const DIM = 16;

/** [1, n, 1] */
const sequence = (values: number[]) => tf.tensor3d(values, [1, values.length, 1]);

async function main(): Promise<void> {
  registerFasterKernels();
  await tf.setBackend('wasm');
  const series = readSeries();
  // changes[i] is what month i + 1 adds to month i; it is forecast from those before it
  const changes = series.slice(1).map(({ppm}, i) => ppm - series[i].ppm);
  const split = series.findIndex(({date}) => date >= '2010') - 1;

  const initializer = (seed: number) => tf.initializers.glorotNormal({seed});
  const before = tf.layers.dense({units: DIM, kernelInitializer: initializer(1)});
  // a month sees itself and the 12 before it
  const encoder = localTransformer({
    ...{numTokens: null, dim: DIM, depth: 1, heads: 4, dimHead: 8, numResidualStreams: 1},
    ...{localAttnWindowSize: 12, seed: 2},
  });
  const after = tf.layers.dense({units: 1, kernelInitializer: initializer(3)});
  const input = tf.input({shape: [null, 1]});
  const encoded = encoder.apply(before.apply(input)) as tf.SymbolicTensor;
  const model = tf.model({inputs: input, outputs: after.apply(encoded) as tf.SymbolicTensor});
  model.compile({optimizer: tf.train.adam(0.01), loss: 'meanSquaredError'});

  const known = changes.slice(0, split);
  const {history} = await model.fit(sequence(known.slice(0, -1)), sequence(known.slice(1)), {
    epochs: 150,
    verbose: 0,
  });
  const losses = history.loss as number[];
  const [first, last] = [losses[0], losses.at(-1)!].map((loss) => loss.toFixed(3));
  console.log(`Loss: ${first}, after ${losses.length} epochs ${last}`);

  /** The stream's forecast of the change after those that have been pushed. */
  const push = async (values: number[]) => {
    const last = tf.tidy(() => {
      const outputs = stream.push(before.apply(sequence(values)) as tf.Tensor);
      const answers = after.apply(outputs) as tf.Tensor;
      return tf.slice(answers, [0, values.length - 1, 0], [1, 1, 1]);
    });
    const [answer] = await last.data();
    last.dispose();
    return answer;
  };

  const stream = createStream(encoder);
  const forecasts = [await push(known)]; // all that is known at once, then a month at a time
  for (const change of changes.slice(split, -1)) forecasts.push(await push([change]));
  stream.dispose();

  forecasts.slice(0, 6).forEach((change, i) => {
    const [{ppm: earlier}, {date, ppm}] = series.slice(split + i, split + i + 2);
    console.log(`${date.slice(0, 7)}: ${(earlier + change).toFixed(2)} forecast, ${ppm} measured`);
  });
  const mean = (errors: number[]) => errors.reduce((sum, error) => sum + error, 0) / errors.length;
  const errors = forecasts.map((change, i) => Math.abs(change - changes[split + i]));
  console.log(`Mean absolute error of ${errors.length} months from 2010 on, in ppm: ${mean(errors).toFixed(2)}`); // prettier-ignore

  const all = await (model.predict(sequence(changes.slice(0, -1))) as tf.Tensor).data();
  const differences = forecasts.map((change, i) => Math.abs(change - all[split - 1 + i]));
  console.log(`Largest difference to forecasts of all months at once: ${Math.max(...differences).toFixed(4)}`); // prettier-ignore
}

main();
