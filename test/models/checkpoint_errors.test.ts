/** What is not loaded, in which words, and that nothing has changed then. */
import * as tf from '@tensorflow/tfjs';

import {layers, localTransformer} from '../../src';
import {loadCheckpoint, saveCheckpoint} from '../../models/checkpoint';
import {readSafetensors} from '../../models/safetensors';
import {Target, checkpointCase, fileOfCase, targetOf} from '../support/checkpoints';
import {living} from '../support/close';
import {Stored, float32, packed} from '../support/safetensors_file';

beforeAll(async () => void (await tf.setBackend('cpu')));

/** The file of a case, changed. */
function edited(name: string, edit: (tensors: Map<string, Stored>) => void): Uint8Array {
  const tensors = new Map<string, Stored>(
    readSafetensors('test', 'the file', fileOfCase(checkpointCase(name))),
  );
  edit(tensors);
  return packed(tensors);
}

/** The error of a load, after which weights and memory must be what they were. */
async function errorOf(target: Target, source: unknown): Promise<unknown> {
  const bits = () => target.getWeights().map((one) => new Int32Array(one.dataSync().buffer.slice(0))); // prettier-ignore
  const [weights, before] = [bits(), living()];
  const error = await loadCheckpoint(target, source as Uint8Array).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(bits()).toEqual(weights);
  expect(living()).toEqual(before);
  return error;
}

const nothing = '[loadCheckpoint] the checkpoint must be of this model, and nothing was loaded:';

test('all that is missing, extra or of another kind is named in one error', async () => {
  const target = targetOf(checkpointCase('one stream'));
  const file = edited('one stream', (tensors) => {
    tensors.delete('layers.1.0.branch.to_out.weight');
    tensors.delete('pos_emb.weight');
    const qkv = tensors.get('layers.0.0.branch.to_qkv.weight')!;
    tensors.set('layers.0.0.branch.to_qkv.weight', {...qkv, shape: [10, 54]});
    tensors.set('to_logits.0.bias', {...tensors.get('to_logits.0.bias')!, dtype: 'I32'});
    tensors.set('layers.0.0.branch.attn_fn.rel_pos.inv_freq', float32(1, 0.05, 0.0021));
    tensors.set('__proto__', float32(1));
    tensors.set('layers.2.0.branch.norm.weight', float32(1, 2));
  });
  expect(await errorOf(target, file)).toEqual(
    new RangeError(
      `${nothing} 'pos_emb.weight' is missing; ` +
        "'layers.0.0.branch.to_qkv.weight' must have the shape [54, 10], got [10, 54]; " +
        "'layers.0.0.branch.attn_fn.rel_pos.inv_freq' must hold " +
        '[1, 0.04641588404774666, 0.002154434332624078], got ' +
        '[1, 0.05000000074505806, 0.002099999925121665]; ' +
        "'layers.1.0.branch.to_out.weight' is missing; " +
        "'to_logits.0.bias' must be one of F32, F16, BF16, got I32; " +
        "'__proto__' is not in the model; 'layers.2.0.branch.norm.weight' is not in the model.",
    ),
  );
});

test('a checkpoint of another number of residual streams is refused', async () => {
  const four = targetOf(checkpointCase('defaults'));
  const one = String(await errorOf(four, fileOfCase(checkpointCase('one stream'))));
  expect(one.match(/is missing/g)).toHaveLength(4 * 7);
  const two = targetOf({...checkpointCase('defaults'), config: {...checkpointCase('defaults').config, numResidualStreams: 2}}); // prettier-ignore
  const shapes = String(await errorOf(two, fileOfCase(checkpointCase('defaults'))));
  expect(shapes).toContain("'layers.1.1.static_alpha' must have the shape [2, 3], got [4, 5];");
  expect(shapes.match(/must have the shape/g)).toHaveLength(4 * 3);
});

test('the buffer that rotary needs is missed, as by strict=True, and refused where there is none', async () => {
  const buffer = 'attn_fn.rel_pos.inv_freq';
  const without = edited('LocalMHA', (tensors) => void tensors.delete(buffer));
  const target = targetOf(checkpointCase('LocalMHA'));
  expect(await errorOf(target, without)).toEqual(
    new RangeError(`${nothing} '${buffer}' is missing.`),
  );
  const plain = targetOf(checkpointCase('LocalMHA, no rotary'));
  expect(await errorOf(plain, fileOfCase(checkpointCase('LocalMHA')))).toEqual(
    new RangeError(`${nothing} '${buffer}' is not in the model.`),
  );
});

test('names as DistributedDataParallel and torch.compile make them are told', async () => {
  for (const wrapper of ['module.', '_orig_mod.']) {
    const wrapped = edited('LocalMHA', (tensors) => {
      for (const [name, one] of [...tensors]) {
        tensors.delete(name);
        tensors.set(wrapper + name, one);
      }
    });
    const error = String(await errorOf(targetOf(checkpointCase('LocalMHA')), wrapped));
    const told = `all names begin with '${wrapper}' (save the state_dict of the model within)`;
    expect(error).toContain(`${nothing} ${told}; 'to_qkv.weight' is missing;`);
    expect(error).toContain(`'${wrapper}to_qkv.weight' is not in the model`);
  }
});

test('of 5000 names that are not in the model, with what is missing, a thousand are listed', async () => {
  const names = new Map(Array.from({length: 5000}, (_, i) => [`t${i}`, float32()]));
  const error = String(await errorOf(targetOf(checkpointCase('LocalMHA')), packed(names)));
  expect(error).toContain("'t996' is not in the model; and 4003 more.");
});

test('without memory for one of its tensors nothing is loaded', async () => {
  const target = targetOf(checkpointCase('defaults'));
  const backend = tf.backend();
  const {write} = backend;
  let left = 20;
  const failing = jest.spyOn(backend, 'write').mockImplementation((...args) => {
    if (left-- === 0) throw new Error('no memory');
    return write.apply(backend, args);
  });
  const error = await errorOf(target, fileOfCase(checkpointCase('defaults')));
  failing.mockRestore();
  expect(error).toEqual(new Error('no memory'));
});

test('a damaged file is refused, and so is a source that is none', async () => {
  const target = targetOf(checkpointCase('one stream'));
  const file = fileOfCase(checkpointCase('one stream'));
  const short = await errorOf(target, file.subarray(0, file.length - 1));
  expect(String(short)).toMatch(/^RangeError: \[loadCheckpoint\] tensor '.*' of the file must end/);
  expect(await errorOf(target, undefined)).toBeInstanceOf(TypeError);
});

test('what has no checkpoint is refused in words', async () => {
  const file = fileOfCase(checkpointCase('LocalMHA'));
  const dense = tf.layers.dense({units: 3});
  const rule =
    'what has a checkpoint must be a model of localTransformer, or one of its layers such as LocalMHA';
  await expect(loadCheckpoint(dense, file)).rejects.toThrow(
    new TypeError(`[loadCheckpoint] ${rule}, got an instance of Dense.`),
  );
  await expect(saveCheckpoint(null as never)).rejects.toThrow(
    new TypeError(`[saveCheckpoint] ${rule}, got null.`),
  );
  const built = 'must be built: apply makes its weights';
  const layer = layers.localMHA({dim: 7, windowSize: 4});
  await expect(loadCheckpoint(layer, file)).rejects.toThrow(
    new RangeError(`[loadCheckpoint] LocalMHA ${built}.`),
  );
  await expect(saveCheckpoint(layer)).rejects.toThrow(
    new RangeError(`[saveCheckpoint] LocalMHA ${built}.`),
  );
  const other = tf.sequential({layers: [tf.layers.dense({units: 3, inputShape: [2]})]});
  await expect(saveCheckpoint(other)).rejects.toThrow(
    '[saveCheckpoint] model must be one that localTransformer made',
  );
});

test('an inserted layer whose weights have no names in PyTorch is refused in words', async () => {
  const conv1d = tf.layers.conv1d({filters: 6, kernelSize: 1, name: 'mix'});
  const model = localTransformer({
    ...{numTokens: 5, maxSeqLen: 7, dim: 6, depth: 1, heads: 1, dimHead: 2},
    insertLayers: {1: conv1d},
  });
  await expect(saveCheckpoint(model)).rejects.toThrow(
    /^\[saveCheckpoint\] an inserted layer must .*, got '.*mix\/kernel' of the shape \[1, 6, 6\]\.$/,
  );
});

test('an inserted layer of which two weights would have one name in PyTorch is refused in words', async () => {
  class Scaled extends tf.layers.Layer {
    static className = 'Scaled';
    override build() {
      this.addWeight('kernel', [6, 6], 'float32', tf.initializers.zeros());
      this.addWeight('gamma', [6], 'float32', tf.initializers.ones());
      this.built = true;
    }
    override call(inputs: tf.Tensor | tf.Tensor[]) {
      return Array.isArray(inputs) ? inputs[0] : inputs;
    }
  }
  const model = localTransformer({
    ...{numTokens: 5, maxSeqLen: 7, dim: 6, depth: 1, heads: 1, dimHead: 2},
    insertLayers: {1: new Scaled({})},
  });
  await expect(saveCheckpoint(model)).rejects.toThrow(
    "[saveCheckpoint] an inserted layer must have weights of different names for a checkpoint, got two for 'global_layers.0.branch.weight'.", // prettier-ignore
  );
});
