/** The numbers of a call that kernels are told: listed once, and laid out by each as its machine wants. */
import type {Problem} from './problem';

/** All are whole numbers of 32 bits but {@link FRACTIONS}. */
export const FACTS = [
  'batch',
  'heads',
  'length',
  'headDim',
  'valueDim',
  'windowSize',
  'lookBackward',
  'lookForward',
  'causal',
  'exactWindowsize',
  'sharedQk',
  'scale',
  'dropThreshold',
  'keptFactor',
  'seed',
  'maskRows',
  'biasHeads',
] as const;
export type Fact = (typeof FACTS)[number];
export const FRACTIONS: readonly Fact[] = ['scale', 'keptFactor'];

/** Flags are 1 or 0. A weight goes whose 32 bits are below dropThreshold; the others grow by keptFactor. */
export function factsOf(p: Problem): Record<Fact, number> {
  return {
    batch: p.batch,
    heads: p.heads,
    length: p.length,
    headDim: p.headDim,
    valueDim: p.valueDim,
    windowSize: p.windowSize,
    lookBackward: p.lookBackward,
    lookForward: p.lookForward,
    causal: +p.causal,
    exactWindowsize: +p.exactWindowsize,
    sharedQk: +p.sharedQk,
    scale: p.scale,
    dropThreshold: Math.min(Math.ceil(p.dropout * 2 ** 32), 2 ** 32 - 1),
    keptFactor: 1 / (1 - p.dropout),
    seed: p.seed,
    maskRows: p.mask ? p.mask.shape[0] : 1,
    biasHeads: p.biasHeads,
  };
}
