/**
 * Local attention on TF.js's cpu backend: the WebAssembly module, on copies, or plain loops where
 * the engine has no SIMD in WebAssembly. TF.js's flag LOCAL_ATTENTION_CPU names one of the two.
 */
import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../../src/errors';
import {Facts, FusedGradInputs, FusedInputs, Machine, byName} from '../../src/fused';
import {enterArena} from '../wasm/arena';
import {refusesEngine} from '../wasm/module';
import {backwardKernel, forwardKernel} from '../wasm/run';
import {attend} from './loops';
import {attendBackward} from './loops_grad';
import type {Values} from './rows';

type Program = 'wasm' | 'loops';

const FLAG = 'LOCAL_ATTENTION_CPU';
tf.env().registerFlag(FLAG, () => 'auto');

/** What we use of MathBackendCPU. */
interface CpuBackend {
  data: {get(id: object): {values: Float32Array | Uint8Array}};
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): tf.TensorInfo;
}

/** The program that the flag asks for; with 'auto', WebAssembly where there is one. */
function chosenProgram(): Program {
  const wanted = tf.env().getString(FLAG);
  if (wanted === 'loops') return wanted;
  if (wanted !== 'auto' && wanted !== 'wasm') {
    return fail('localAttention', `${FLAG} must be 'auto', 'wasm' or 'loops'`, wanted);
  }
  const reason = refusesEngine();
  if (!reason) return 'wasm';
  if (wanted === 'auto') return 'loops';
  return refuse('localAttention', `${FLAG} is 'wasm', but ${reason}`);
}

function enter(backend: unknown) {
  const cpu = backend as CpuBackend;
  return enterArena({
    read: (tensor) => cpu.data.get(tensor.dataId).values,
    make: (shape, values) => cpu.makeTensorInfo(shape, 'float32', values),
  });
}

const forward: Record<Program, tf.KernelFunc> = {
  wasm: forwardKernel(enter),
  loops({inputs, attrs, backend}) {
    const p = attrs as unknown as Facts;
    const cpu = backend as CpuBackend;
    const {out, logSumExp} = attend(p, valuesOf(cpu, byName(inputs, attrs)));
    return [
      cpu.makeTensorInfo([p.b, p.n, p.dv], 'float32', out),
      cpu.makeTensorInfo([p.b, p.n], 'float32', logSumExp),
    ];
  },
};

const backward: Record<Program, tf.KernelFunc> = {
  wasm: backwardKernel(enter),
  loops({inputs, attrs, backend}) {
    const p = attrs as unknown as Facts;
    const cpu = backend as CpuBackend;
    const given = inputs as unknown as FusedGradInputs;
    const {dq, dk, dv, dbias} = attendBackward(p, {
      ...valuesOf(cpu, given),
      out: read(cpu, given.out),
      logSumExp: read(cpu, given.logSumExp),
      dout: read(cpu, given.dout),
    });
    const gradients = [
      cpu.makeTensorInfo([p.b, p.n, p.d], 'float32', dq),
      cpu.makeTensorInfo([p.b, p.n, p.d], 'float32', dk),
      cpu.makeTensorInfo([p.b, p.n, p.dv], 'float32', dv),
    ];
    const bias = given.bias?.shape;
    return bias ? [...gradients, cpu.makeTensorInfo(bias, 'float32', dbias!)] : gradients;
  },
};

function valuesOf(backend: CpuBackend, inputs: FusedInputs): Values {
  const {q, k, v, mask, bias, queryAngles, keyAngles} = inputs;
  return {
    q: read(backend, q),
    k: read(backend, k),
    v: read(backend, v),
    mask: mask && (backend.data.get(mask.dataId).values as Uint8Array),
    maskRows: mask ? mask.shape[0] : 1,
    bias: bias && read(backend, bias),
    queryAngles: queryAngles && read(backend, queryAngles),
    keyAngles: keyAngles && read(backend, keyAngles),
  };
}

function read(backend: CpuBackend, tensor: tf.TensorInfo): Float32Array {
  return backend.data.get(tensor.dataId).values as Float32Array;
}

export const cpu: Machine = {
  backendName: 'cpu',
  refuses() {
    chosenProgram(); // a wrong flag is an error, not a reason to compute otherwise
    return null;
  },
  forward: (call) => forward[chosenProgram()](call),
  backward: (call) => backward[chosenProgram()](call),
};
