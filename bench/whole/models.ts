/** Whole models, a step of whose training is measured. */
export interface Model {
  name: string;
  vocabulary: number;
  /** Whether it reads ids [B, n], or vectors [B, n, vocabulary] with a 1 each. */
  reads: 'ids' | 'oneHot';
  batch: number;
  length: number;
  /** Of adam. */
  rate: number;
  beta2: number;
}

export const MODELS: Readonly<Record<string, Model>> = {
  /** An ordinary transformer. */
  M1: {
    name: 'M1',
    vocabulary: 256,
    reads: 'ids',
    batch: 2,
    length: 512,
    rate: 1e-3,
    beta2: 0.999,
  },
  /** That of `npm start`. */
  M2: {
    name: 'M2',
    vocabulary: 78,
    reads: 'oneHot',
    batch: 4,
    length: 128,
    rate: 3e-3,
    beta2: 0.99,
  },
};

export const BETA1 = 0.9;
/** Of adam, on every backend: that of webgl would be for float16. */
export const EPSILON = 1e-7;

/** How many batches there are, and after how many steps losses are compared. */
export const FIRST_STEPS = 10;
