import {Candidate, Skipped} from '../../candidate';
import {What, Workload} from '../../workloads';
import type {Jax, JaxArray} from './jax_library';
import {Task} from './task';

const MASKED_SCORE = -1e9;

type Function = (...x: JaxArray[]) => JaxArray[];

/** The straightforward composition in jax-js, under jit. @throws Skipped where it does not run */
export async function jaxCandidate(
  library: Jax,
  device: 'wasm' | 'webgl' | 'webgpu',
  {name, workload, inputs, what}: Task,
): Promise<Candidate> {
  const devices = await library.init(device);
  if (!devices.includes(device)) throw new Skipped(`its device '${device}' does not start here`);
  library.defaultDevice(device);

  const {heads, n, d, w} = workload;
  const given = [inputs.q, inputs.k, inputs.v, inputs.dout].map((values) =>
    library.numpy.array(values).reshape([heads, n, d]),
  );
  const mask = library.numpy.array(maskOf(workload)).reshape([1, n / w, w, 2 * w]);
  const compute = library.jit(program(library, workload, what));
  const run = async () => {
    const arrays = compute(...given.map((x) => x.ref), mask.ref);
    return Promise.all(arrays.map((x) => x.data()));
  };
  let results: Float32Array[];
  try {
    results = await run();
  } catch (error) {
    throw new Skipped(`it fails with ${(error as Error).message.split('\n')[0]}`);
  }
  return {
    name,
    async time(calls) {
      const start = performance.now();
      for (let call = 0; call < calls; call++) results = await run();
      return (performance.now() - start) / calls;
    },
    results: async () => results,
    peakMiB: () => null,
    close: () => [...given, mask].forEach((x) => x.dispose()),
  };
}

/** (q, k, v, dout, mask) -> [out] or [dq, dk, dv] */
function program({numpy: np, nn, grad}: Jax, {heads, n, d, w}: Workload, what: What): Function {
  const windows = n / w;
  const context = (x: JaxArray) => {
    const own = x.reshape([heads, windows, w, d]);
    const padded = np.pad(own.ref, [[0, 0], [1, 0], [0, 0], [0, 0]]); // prettier-ignore
    return np.concatenate([padded.slice([], [0, windows], [], []), own], 2);
  };
  const attend: (...x: JaxArray[]) => JaxArray = (q, k, v, mask) => {
    const queries = q.mul(d ** -0.5).reshape([heads, windows, w, d]);
    const scores = np.matmul(queries, np.swapaxes(context(k), 2, 3)).add(mask);
    return np.matmul(nn.softmax(scores, -1), context(v)).reshape([heads, n, d]);
  };
  if (what === 'forward') {
    return (q, k, v, dout, mask) => {
      dout.dispose();
      return [attend(q, k, v, mask)];
    };
  }
  const loss: (...x: JaxArray[]) => JaxArray = (q, k, v, dout, mask) =>
    np.sum(attend(q, k, v, mask).mul(dout));
  return grad(loss, {argnums: [0, 1, 2]});
}

/** What is added to the scores: [windows, w, 2w] */
function maskOf({n, w}: Workload): Float32Array {
  return Float32Array.from({length: n * 2 * w}, (_, index) => {
    const slot = index % (2 * w);
    const query = Math.floor(index / (2 * w));
    const key = (Math.floor(query / w) - 1) * w + slot;
    return key > query || key < 0 ? MASKED_SCORE : 0;
  });
}
