/** What we keep for a WebGL context of TF.js, and how many targets it draws to at once. */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../../src/check/errors';
import type {WebGLBackend} from './backend';
import {Tables} from './tables';
import {Textures} from './textures';

/** Targets drawn to at once: 8, 4, 2 or 1; with 'auto', as many as the device allows. */
const FLAG = 'LOCAL_ATTENTION_WEBGL_TARGETS';
tf.env().registerFlag(FLAG, () => 'auto');

const COUNTS = [8, 4, 2, 1];

export interface Device {
  gl: WebGL2RenderingContext;
  maxSize: number;
  /** Most targets. */
  targets: number;
  textures: Textures;
  tables: Tables;
  programs: Map<string, Program>;
  framebuffer: WebGLFramebuffer;
  /** Its targets now. */
  attached: number;
  vertices: WebGLVertexArrayObject;
  facts: WebGLBuffer;
}

/** A linked program and where its uniforms are. */
export interface Program {
  program: WebGLProgram;
  uniforms: Map<string, WebGLUniformLocation>;
}

const devices = new WeakMap<WebGLBackend, Device>();

export function deviceOf(backend: WebGLBackend): Device {
  const known = devices.get(backend);
  if (known) return known;
  const {gl} = backend.gpgpu;
  const maxSize = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
  const textures = new Textures(gl, maxSize);
  const device: Device = {
    gl,
    maxSize,
    targets: 0,
    textures,
    tables: new Tables(gl, maxSize),
    programs: new Map(),
    framebuffer: gl.createFramebuffer(),
    attached: 0,
    vertices: gl.createVertexArray(),
    facts: gl.createBuffer()!,
  };
  device.targets = mostTargets(device);
  devices.set(backend, device);
  return device;
}

/** The largest number of targets with which a framebuffer is complete, or 0. */
function mostTargets(device: Device): number {
  const {gl, textures} = device;
  const most = gl.getParameter(gl.MAX_DRAW_BUFFERS) as number;
  const complete = COUNTS.filter((count) => count <= most).find((count) => {
    const cells = textures.take({rows: 8, columns: 8, layers: count});
    attach(device, cells.texture, 0, count);
    const status = gl.checkFramebufferStatus(gl.FRAMEBUFFER);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    textures.give(cells);
    return status === gl.FRAMEBUFFER_COMPLETE;
  });
  return complete ?? 0;
}

/** Makes layers of a texture the targets of what is drawn. */
export function attach(
  device: Device,
  texture: WebGLTexture | null,
  first: number,
  count: number,
): void {
  const {gl, framebuffer, attached} = device;
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  const points = Array.from({length: count}, (_, target) => gl.COLOR_ATTACHMENT0 + target);
  points.forEach((point, target) =>
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, point, texture, 0, first + target),
  );
  for (let target = count; target < attached; target++) {
    const point = gl.COLOR_ATTACHMENT0 + target;
    gl.framebufferTextureLayer(gl.FRAMEBUFFER, point, null, 0, 0);
  }
  gl.drawBuffers(points);
  device.attached = count;
}

/** Makes the texture of a tensor the one target. */
export function attachTensor(device: Device, texture: WebGLTexture): void {
  attach(device, null, 0, 0);
  const {gl} = device;
  const point = gl.COLOR_ATTACHMENT0;
  gl.framebufferTexture2D(gl.FRAMEBUFFER, point, gl.TEXTURE_2D, texture, 0);
  gl.drawBuffers([point]);
  device.attached = 1;
}

/** How many targets the flag asks for, or why that cannot be. */
export function targetsOf({targets}: Device): {count: number} | {reason: string} {
  const wanted = tf.env().get(FLAG);
  if (wanted === 'auto') {
    return targets > 0 ? {count: targets} : {reason: 'no framebuffer of this device is complete'};
  }
  const count = Number(wanted);
  if (!COUNTS.includes(count)) {
    fail('localAttention', `the flag ${FLAG} must be 'auto', 8, 4, 2 or 1`, wanted);
  }
  if (count <= targets) return {count};
  return {reason: `${FLAG} asks for ${count} targets, and this device draws to ${targets} at most`};
}
