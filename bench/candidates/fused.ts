import {Attend} from './tfjs';
import {localAttention} from 'tfjs-local-attention';
import {Workload} from '../workloads';

/** This package's kernel; refused with a reason where there is none. */
export function fused({w}: Workload): Attend {
  return (q, k, v) =>
    localAttention(q, k, v, {
      windowSize: w,
      causal: true,
      useRotaryPosEmb: false,
      implementation: 'fused',
    });
}
