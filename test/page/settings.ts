/** What a page of tests is told by its address: `/?{"backend": …}`. */
export interface Settings {
  backend: 'cpu' | 'wasm' | 'webgl' | 'webgpu';
  /** Of TF.js, as in {WASM_HAS_MULTITHREAD_SUPPORT: true}. */
  flags: Record<string, boolean | number>;
  /** Of the fused kernels for the CPU. */
  threads: number;
  /** What process.env is in Node: CASES, SEED, SAMPLE. */
  environment: Record<string, string>;
  /** The tests whose names it matches. */
  tests: string;
}

export const SETTINGS = JSON.parse(decodeURIComponent(location.search.slice(1))) as Settings;
