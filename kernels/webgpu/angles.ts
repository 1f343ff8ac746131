/** Tables of angles on a device, queries' and keys' in one buffer: kept by the arrays they are copies of. */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {WebGpuBackend} from './backend';

interface Copy {
  keys: Float32Array;
  buffer: GPUBuffer;
}

const MOST_KEPT = 8; // pairs of tables, those used last

const devices = new WeakMap<GPUDevice, Map<Float32Array, Copy>>();

/** A tensor of the tables, to be disposed of after the call, and the number at which the keys' begins. */
export function anglesIn(backend: WebGpuBackend, queries: Float32Array, keys: Float32Array) {
  const info = backend.makeTensorInfo([queries.length + keys.length], 'float32');
  const data = backend.tensorMap.get(info.dataId);
  data.resource = copyOf(backend.device, queries, keys);
  data.external = true; // and so stays when the tensor goes
  return {info: info as TensorInfo, keyAngles: keys === queries ? 0 : queries.length};
}

function copyOf(device: GPUDevice, queries: Float32Array, keys: Float32Array): GPUBuffer {
  const copies = devices.get(device) ?? new Map<Float32Array, Copy>();
  devices.set(device, copies);
  const known = copies.get(queries);
  const copy = known?.keys === keys ? known : {keys, buffer: upload(device, queries, keys)};
  copies.delete(queries);
  copies.set(queries, copy);
  const [oldest] = copies.keys();
  // not destroyed, since a dispatch that is not yet submitted may need it
  if (copies.size > MOST_KEPT) copies.delete(oldest);
  return copy.buffer;
}

function upload(device: GPUDevice, queries: Float32Array, keys: Float32Array): GPUBuffer {
  const size = 4 * (queries.length + (keys === queries ? 0 : keys.length));
  const buffer = device.createBuffer({
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  device.queue.writeBuffer(buffer, 0, queries.slice());
  if (keys !== queries) device.queue.writeBuffer(buffer, 4 * queries.length, keys.slice());
  return buffer;
}
