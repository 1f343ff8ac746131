/**
 * What a call is told: one struct in memory, whose fields are listed here and nowhere else.
 * scripts/build_wasm.mjs writes their names and types into module.generated.ts for the other side.
 * Each takes 4 bytes. Pointers are to float32 unless it says otherwise; 0 stands for what is not there.
 */
@unmanaged
export class Call {
  /** Sequences: batch · heads of them lie one after the other, heads the minor part. */
  batch: i32;
  heads: i32;
  length: i32;
  headDim: i32;
  valueDim: i32;
  windowSize: i32;
  lookBackward: i32;
  lookForward: i32;
  causal: i32;
  exactWindowsize: i32;
  sharedQk: i32;
  /** Factor of the queries. */
  scale: f32;
  /** Dropout: weights whose 32 bits are below the threshold go, the others grow by the factor. */
  dropThreshold: u32;
  keptFactor: f32;
  seed: u32;
  maskRows: i32;
  biasHeads: i32;
  /** [batch · heads][length][headDim] */
  q: usize;
  k: usize;
  /** [batch · heads][length][valueDim] */
  v: usize;
  /** u8 [maskRows][length] */
  mask: usize;
  /** [biasHeads][windowSize][context] */
  bias: usize;
  /** [rows][headDim]: cosines in the first half of a row and sines in the second */
  queryAngles: usize;
  keyAngles: usize;
  /** [batch · heads][length][valueDim] */
  out: usize;
  /** [batch · heads][length][2]: a row's largest score, and the sum of exp(score − largest) */
  softmaxStats: usize;
  /** Of the gradient alone: each as large as what it is the gradient of. */
  dout: usize;
  dq: usize;
  dk: usize;
  dv: usize;
  dbias: usize;
}

/** Queries that share one context in scratch memory: one window, or as many as have so many tokens. */
export const QUERIES_TOGETHER: i32 = 64;

/** The call that is computed. */
export let call: Call = changetype<Call>(0);

export function begin(address: usize): void {
  call = changetype<Call>(address);
}
