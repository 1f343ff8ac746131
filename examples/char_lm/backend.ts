import * as tf from '@tensorflow/tfjs';

process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // no greetings from native TensorFlow

/** Fastest first, with the package that brings it; cpu comes with TF.js, and webgpu only by name. */
const PACKAGES = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  tensorflow: '@tensorflow/tfjs-node',
  cpu: null,
  webgpu: '@tensorflow/tfjs-backend-webgpu',
} as const;

export type Backend = keyof typeof PACKAGES;

export const BACKENDS = Object.keys(PACKAGES) as Backend[];

/** Starts the backend named, or without a name the fastest that starts. */
export async function chooseBackend(name?: Backend): Promise<Backend> {
  if (name) {
    const refusal = await start(name);
    if (refusal) throw new Error(`backend '${name}' does not start: ${refusal}.`);
    return name;
  }
  for (const backend of BACKENDS) {
    if (!(await start(backend))) return backend;
  }
  throw new Error(`none of the backends ${BACKENDS.join(', ')} starts.`);
}

/** Null if the backend now runs, else why not and what to do. */
async function start(backend: Backend): Promise<string | null> {
  const name: string | null = PACKAGES[backend];
  try {
    if (backend === 'webgpu') await (await import('./gpu')).installGpu();
    if (name) await import(name);
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    const absent = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
    const wanted = [name!, 'webgpu'].find((one) => message.includes(`'${one}'`));
    if (absent && wanted) return `install it with npm install ${wanted}`;
    return `${name} is installed, but ${message.split('\n')[0]}`;
  }
  try {
    if (!(await tf.setBackend(backend))) return 'TF.js cannot initialise it here';
    const two = tf.add(1, 1); // tfjs-node 4.22 loads on Node 23, and fails here
    await two.data();
    two.dispose();
    return null;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}
