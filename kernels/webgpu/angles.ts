/** Tables of angles on a device, queries' and keys' in one buffer: kept by the arrays they are copies of. */
import type {TensorInfo} from '@tensorflow/tfjs';

import {KeptTables} from '../../src/attention/kept_tables';
import type {WebGpuBackend} from './backend';

interface Copy {
  keys: Float32Array;
  buffer: GPUBuffer;
}

// not destroyed, since a dispatch that is not yet submitted may need it
const letGo = () => {};
const devices = new WeakMap<GPUDevice, KeptTables<Copy>>();

/** A tensor of the tables, to be disposed of after the call, and the number at which the keys' begins. */
export function anglesIn(backend: WebGpuBackend, queries: Float32Array, keys: Float32Array) {
  const info = backend.makeTensorInfo([numbersOf(queries, keys)], 'float32');
  const data = backend.tensorMap.get(info.dataId);
  data.resource = copyOf(backend.device, queries, keys);
  data.external = true; // and so stays when the tensor goes
  return {info: info as TensorInfo, keyAngles: keys === queries ? 0 : queries.length};
}

function copyOf(device: GPUDevice, queries: Float32Array, keys: Float32Array): GPUBuffer {
  const kept = devices.get(device) ?? new KeptTables<Copy>(letGo);
  devices.set(device, kept);
  const known = kept.of(queries);
  const copy = known?.keys === keys ? known : {keys, buffer: upload(device, queries, keys)};
  kept.keep(queries, copy);
  return copy.buffer;
}

function numbersOf(queries: Float32Array, keys: Float32Array): number {
  return queries.length + (keys === queries ? 0 : keys.length);
}

function upload(device: GPUDevice, queries: Float32Array, keys: Float32Array): GPUBuffer {
  const buffer = device.createBuffer({
    size: 4 * numbersOf(queries, keys),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  device.queue.writeBuffer(buffer, 0, queries.slice());
  if (keys !== queries) device.queue.writeBuffer(buffer, 4 * queries.length, keys.slice());
  return buffer;
}
