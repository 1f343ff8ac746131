/** The model by jax-js in Node, on its WebAssembly device, under jit. */

import {Skipped} from '../candidate';
import {peer} from '../candidates/peers/installed';
import {start} from '../start';
import {Shape, tablesOf} from './jax_attention';
import {logitsOf} from './jax_layers';
import type {Jax, JaxArray} from '../candidates/peers/jax_library';
import {BETA1, EPSILON, Model, batchesOf, built} from './index';
import {LayerOf, programOf} from './program';
import {Step} from './training';

const DEVICE = 'wasm';

export async function jaxSteps(model: Model, threads: number): Promise<Step> {
  if (threads > 1) throw new Skipped('it has one thread in Node');
  globalThis.navigator ??= {userAgent: 'node'} as Navigator; // it reads that, and Node 20 has none
  const library = peer<Jax>('@jax-js/jax');
  const devices = await library.init(DEVICE);
  if (!devices.includes(DEVICE)) throw new Skipped(`its device '${DEVICE}' does not start here`);
  library.defaultDevice(DEVICE);

  await start('cpu', threads);
  const {numpy: np} = library;
  const layers = programOf(built(model, 'auto'));
  const shape = shapeOf(model, layers);
  const tables = tablesOf(library, shape);
  const zeros = () => weightsOf(layers, ({length}) => new Float32Array(length), library);
  let state: State = [weightsOf(layers, (values) => values, library), zeros(), zeros()];
  const batches = oneHotBatches(model).map((batch) =>
    batch.map((values) => np.array(values).reshape([model.batch * model.length, model.vocabulary])),
  );

  const train = library.jit(stepOf(library, layers, model, shape));
  let taken = 0;
  return async (batch) => {
    taken++;
    const [input, target] = batches[batch];
    const corrections = np.array(Float32Array.of(1 - BETA1 ** taken, 1 - model.beta2 ** taken));
    const {mask, cos, sin} = tables;
    const constants = [input.ref, target.ref, corrections, mask.ref, cos.ref, sin.ref];
    const [loss, ...next] = train(...state, constants);
    state = next;
    return (await loss.data())[0];
  };
}

/** Weights, and their first and second moments. */
type State = [JaxArray[], JaxArray[], JaxArray[]];

function stepOf(library: Jax, layers: LayerOf[], {rate, beta2}: Model, shape: Shape) {
  const {numpy: np, nn} = library;
  const logits = logitsOf(library, layers, shape);
  const tokens = shape.batch * shape.length;
  const loss = library.valueAndGrad(
    (weights, input: JaxArray, target: JaxArray, mask: JaxArray, cos: JaxArray, sin: JaxArray) => {
      const logProbabilities = nn.logSoftmax(logits(weights, input, {mask, cos, sin}), -1);
      return np.sum(logProbabilities.mul(target)).mul(-1 / tokens);
    },
  );
  return (
    weights: JaxArray[],
    first: JaxArray[],
    second: JaxArray[],
    [input, target, corrections, mask, cos, sin]: JaxArray[],
  ): [JaxArray, ...State] => {
    const refs = weights.map((x) => x.ref);
    const [value, gradients] = loss(refs, input, target, mask, cos, sin);
    const [m, v] = [first, second].map((moments, power) => {
      const beta = power === 0 ? BETA1 : beta2;
      return moments.map((moment, w) => {
        const g = gradients[w].ref;
        return moment.mul(beta).add((power === 0 ? g : g.mul(gradients[w].ref)).mul(1 - beta));
      });
    });
    gradients.forEach((g) => g.dispose());
    const correction1 = corrections.ref.slice([0, 1]);
    const correction2 = corrections.slice([1, 2]);
    const next = weights.map((x, w) => {
      const size = np.sqrt(v[w].ref.div(correction2.ref)).add(EPSILON);
      return x.sub(m[w].ref.div(correction1.ref).div(size).mul(rate));
    });
    correction1.dispose();
    correction2.dispose();
    return [value, next, m, v];
  };
}

function weightsOf(
  layers: readonly LayerOf[],
  of: (values: Float32Array) => Float32Array,
  {numpy: np}: Jax,
): JaxArray[] {
  const weights = layers.flatMap(({weights}) => weights);
  return weights.map(({values, shape}) => np.array(of(values)).reshape(shape));
}

/** [input, target], each [B · n, V] with a 1 a token. */
function oneHotBatches(model: Model): [Float32Array, Float32Array][] {
  return batchesOf({...model, reads: 'oneHot'}).map(({input, target}) => [
    input.dataSync() as Float32Array,
    target.dataSync() as Float32Array,
  ]);
}

function shapeOf({batch, length}: Model, layers: readonly LayerOf[]): Shape {
  const {config} = layers.find(({kind}) => kind === 'LocalMHA')!;
  const [heads, dimHead, window] = [config.heads, config.dim_head, config.window_size].map(Number);
  return {batch, length, heads, dimHead, window};
}
