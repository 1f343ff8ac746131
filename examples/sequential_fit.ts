/**
 * Forecasts next month's CO2 concentration with a tf.sequential, fit on the months before 2010 and
 * judged on those after. In some seconds you will see the mean error of the model beside those of
 * two forecasts that need no model:
 *
 *     Loss: 1.546, after 200 epochs 0.090
 *     Mean absolute error from 2010 on, in ppm:
 *       as last month                     1.24
 *       changing as it did a year before  0.43
 *       the model                         0.38
 */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import {layers, registerFasterKernels} from 'tfjs-local-attention';

import {readSeries} from './co2_series';

/** [1, n, 1] */
const sequence = (values: number[]) => tf.tensor3d(values, [1, values.length, 1]);

async function main(): Promise<void> {
  registerFasterKernels(); // those of TF.js are slow to train dense with
  await tf.setBackend('wasm');
  const series = readSeries();
  // changes[i] is what month i + 1 adds to month i; it is forecast from those before it
  const changes = series.slice(1).map(({ppm}, i) => ppm - series[i].ppm);
  const split = series.findIndex(({date}) => date >= '2010') - 1;

  const initializer = (seed: number) => tf.initializers.glorotNormal({seed});
  const model = tf.sequential({
    layers: [
      tf.layers.dense({units: 16, kernelInitializer: initializer(1), inputShape: [null, 1]}),
      // a month sees itself and the 12 before it
      layers.localMHA({
        ...{dim: 16, heads: 4, dimHead: 8, windowSize: 12, causal: true},
        kernelInitializer: initializer(2),
      }),
      tf.layers.dense({units: 16, activation: 'relu', kernelInitializer: initializer(3)}),
      tf.layers.dense({units: 1, kernelInitializer: initializer(4)}),
    ],
  });
  model.compile({optimizer: tf.train.adam(0.01), loss: 'meanSquaredError'});

  // one sequence of 45 years, where each month is asked for the next change
  const known = changes.slice(0, split);
  const {history} = await model.fit(sequence(known.slice(0, -1)), sequence(known.slice(1)), {
    epochs: 200,
    verbose: 0,
  });
  const losses = history.loss as number[];
  const [first, last] = [losses[0], losses[losses.length - 1]].map((loss) => loss.toFixed(3));
  console.log(`Loss: ${first}, after ${losses.length} epochs ${last}`);

  // causal: what the model says of a month depends on earlier months alone
  const answers = await (model.predict(sequence(changes.slice(0, -1))) as tf.Tensor).data();
  const rows = {
    'as last month': () => 0,
    'changing as it did a year before': (i: number) => changes[i - 12],
    'the model': (i: number) => answers[i - 1],
  };
  console.log('Mean absolute error from 2010 on, in ppm:');
  for (const [name, forecast] of Object.entries(rows)) {
    const errors = changes.map((change, i) => Math.abs(change - forecast(i))).slice(split);
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    console.log(`  ${name.padEnd(34)}${mean.toFixed(2)}`);
  }
}

main();
