/** Registers small products of a token at a time, on the backends whose memory the program reads. */
import {tokenRowsKernel} from '../program/token_rows';
import {MEMORIES} from './memories';
import {registerOwn} from './own_kernels';

/** By the names that `src/nn/token_rows.ts` asks for. */
const KERNELS = {LocalAttentionCombine: 'combine', LocalAttentionDots: 'dots'} as const;

export const registerTokenRows = () =>
  registerOwn(
    MEMORIES.flatMap(({backend: backendName, enter}) =>
      Object.entries(KERNELS).map(([kernelName, name]) => ({
        ...{kernelName, backendName},
        kernelFunc: tokenRowsKernel(name, enter),
      })),
    ),
  );
