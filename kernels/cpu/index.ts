/**
 * Local attention on TF.js's cpu backend: the WebAssembly module, on copies, or plain loops where
 * the engine has no SIMD in WebAssembly. TF.js's flag LOCAL_ATTENTION_CPU names one of the two.
 */
import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../../src/check/errors';
import {Facts, FusedGradInputs, FusedInputs, Machine, byName} from '../../src/attention/fused';
import {enterArena} from '../program/arena';
import {refusesEngine, refusesSize} from '../program/module';
import {backwardKernel, forwardKernel} from '../program/run';
import {attend} from './loops';
import {attendBackward} from './loops_grad';
import type {Values} from './rows';

type Program = 'wasm' | 'loops';

const FLAG = 'LOCAL_ATTENTION_CPU';
tf.env().registerFlag(FLAG, () => 'auto');

/** What we use of MathBackendCPU. */
interface CpuBackend {
  data: {get(id: object): {values: Float32Array | Int32Array | Uint8Array}};
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): tf.TensorInfo;
  disposeData(id: object): boolean;
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
    read: (tensor) => (tensor.dtype === 'bool' ? bools(cpu, tensor) : floats(cpu, tensor)),
    make: (shape, values) => cpu.makeTensorInfo(shape, 'float32', values.slice()),
    drop: ({dataId}) => void cpu.disposeData(dataId),
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
      out: floats(cpu, given.out),
      logSumExp: floats(cpu, given.logSumExp),
      dout: floats(cpu, given.dout),
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
    q: floats(backend, q),
    k: floats(backend, k),
    v: floats(backend, v),
    mask: mask && bools(backend, mask),
    maskRows: mask ? mask.shape[0] : 1,
    bias: bias && floats(backend, bias),
    queryAngles: queryAngles && floats(backend, queryAngles),
    keyAngles: keyAngles && floats(backend, keyAngles),
  };
}

/** TF.js's cast leaves the array as it is and changes the dtype alone, so any kind may come. */
function floats(backend: CpuBackend, {dataId}: tf.TensorInfo): Float32Array {
  const {values} = backend.data.get(dataId);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

function bools(backend: CpuBackend, {dataId}: tf.TensorInfo): Uint8Array {
  const {values} = backend.data.get(dataId);
  return values instanceof Uint8Array ? values : Uint8Array.from(values, (value) => +(value !== 0));
}

export const cpu: Machine = {
  backendName: 'cpu',
  refuses(p) {
    // a wrong flag is an error, not a reason to compute otherwise
    return chosenProgram() === 'wasm' ? refusesSize(p) : null;
  },
  forward: (call) => forward[chosenProgram()](call),
  backward: (call) => backward[chosenProgram()](call),
};
