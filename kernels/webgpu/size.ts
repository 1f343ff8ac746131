/** What a device lets a call be. */
import type {Problem} from '../../src/attention/problem';
import type {WebGpuBackend} from './backend';
import {MOST_CHANNELS, queriesTogether} from './forward/tile';

const BUFFERS = 8;
const WORKGROUP_BYTES = 16384;

/** Why `p` or its gradient is beyond the device's limits, or null. */
export function whyNotSize(p: Problem, {device: {limits}}: WebGpuBackend): string | null {
  if (limits.maxStorageBuffersPerShaderStage < BUFFERS) {
    return `the device lets a shader bind ${limits.maxStorageBuffersPerShaderStage} buffers, and ${BUFFERS} are needed`;
  }
  if (limits.maxComputeWorkgroupStorageSize < WORKGROUP_BYTES) {
    return `the device has ${limits.maxComputeWorkgroupStorageSize} bytes of workgroup memory, and ${WORKGROUP_BYTES} are needed`;
  }
  const channels = Math.max(p.headDim, p.valueDim);
  if (channels > MOST_CHANNELS)
    return `a head has ${channels} channels, and ${MOST_CHANNELS} are the most`;
  const rows = p.batch * p.heads * p.length;
  const bias = p.biasHeads * p.windowSize * p.context * +(p.bias !== null);
  const angles =
    2 * Math.min(p.length, p.context - p.windowSize + queriesTogether(p)) * p.headDim * +p.rotary;
  const bytes = 4 * Math.max(rows * channels, 4 * rows + bias + angles);
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  if (bytes <= most) return null;
  return `the call needs a buffer of ${mebibytes(bytes)} MiB, and the device binds ${mebibytes(most)} MiB at the most`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
