/** From the text of a pass to a program, compiled once for a context. */
import * as tf from '@tensorflow/tfjs';

import {refuse} from '../../src/check/errors';
import {BANDS} from './bands';
import type {Device, Program} from './device';
import {FACTS_BLOCK} from './facts';

/**
 * One kind of draw: what a shader reads, and what it writes into a cell of a grid.
 *
 * `cells` are our own textures, `tensors` TF.js's, `tables` those of angles; `uniforms` are whole numbers,
 * `options` what is 0 or 1 in its text.
 * A result is an expression for one layer each, or `null`: `main` then sets `texel`, of a tensor.
 */
export interface Pass extends Reads {
  name: string;
  main: string;
  results: readonly string[] | null;
}

interface Reads {
  cells: readonly string[];
  tensors: readonly string[];
  tables: readonly string[];
  uniforms: readonly string[];
  options: readonly Option[];
  pieces: readonly string[];
}

const NOTHING: Reads = {cells: [], tensors: [], tables: [], uniforms: [], options: [], pieces: []};

/** A pass that reads what is said, and nothing else. */
export function pass(told: Omit<Pass, keyof Reads> & Partial<Reads>): Pass {
  return {...NOTHING, ...told};
}

/** 1 or 0 in the text of a pass that names them, else 0. */
export const OPTIONS = ['ROTARY', 'ODD_HALF', 'SHARED', 'MASKED', 'BIASED', 'DROPPED'] as const;
export type Option = (typeof OPTIONS)[number];

const VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(float(gl_VertexID % 2) * 4.0 - 1.0, float(gl_VertexID / 2) * 4.0 - 1.0, 0, 1);
}`;

/** Grids in textures, of (columns, height): the row and column drawn, and where others lie. */
const CELLS = `
#define HIDDEN uintBitsToFloat(0xff7fffffu)

ivec2 here() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  int folded = at.x / grid.x;
  return ivec2(folded * grid.y + at.y, at.x - folded * grid.x);
}

ivec2 cell(int row, int column, ivec2 of) {
  int folded = row / of.y;
  return ivec2(folded * of.x + column, row - folded * of.y);
}

vec4 four(usampler2DArray cells, ivec2 at, int layer) {
  return uintBitsToFloat(texelFetch(cells, ivec3(at, layer), 0));
}
`;

/** The program of a pass that writes its results from `first` on, to so many targets. */
export function programOf(
  device: Device,
  pass: Pass,
  defines: Record<string, number>,
  targets: number,
  first: number,
): Program {
  const key = `${pass.name} ${targets} ${first} ${JSON.stringify(defines)}`;
  const known = device.programs.get(key);
  if (known) return known;
  const text = textOf(pass, {TARGETS: targets, ...defines}, first);
  if (tf.env().getBool('LOCAL_ATTENTION_SHOW_SHADER')) console.log(text);
  const program = link(device.gl, text);
  device.programs.set(key, program);
  return program;
}

function textOf(pass: Pass, defines: Record<string, number>, first: number): string {
  const {cells, uniforms, pieces, main} = pass;
  const tensors = [...pass.tensors, ...pass.tables];
  const results = pass.results?.slice(first, first + defines.TARGETS);
  const declared = results
    ? results.map((_, at) => `layout(location = ${at}) out uvec4 result${at};`)
    : ['out vec4 texel;'];
  const written = results?.map((text, at) => `  result${at} = floatBitsToUint(${text});`) ?? [];
  return `#version 300 es
// ${pass.name}
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2DArray;
${Object.entries(defines)
  .map(([name, value]) => `#define ${name} ${value}`)
  .join('\n')}
${FACTS_BLOCK}
${cells.map((name) => `uniform usampler2DArray ${name};\nuniform ivec2 ${name}Grid;\n`).join('')}
uniform ivec2 grid;
${tensors.map((name) => `uniform sampler2D ${name};\n`).join('')}
${uniforms.map((name) => `uniform int ${name};\n`).join('')}
${declared.join('\n')}
${CELLS}
${BANDS}
${pieces.join('\n')}
void main() {
${main}
${written.join('\n')}
}
`.replace(/\n{2,}/g, '\n');
}

function link(gl: WebGL2RenderingContext, text: string): Program {
  const program = gl.createProgram();
  const shaders = [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, text],
  ] as const;
  for (const [kind, source] of shaders) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    const logs = gl.getAttachedShaders(program)!.map((shader) => gl.getShaderInfoLog(shader));
    const log = `${logs.join('')}${gl.getProgramInfoLog(program)}`.trim();
    refuse('localAttention', `a shader does not compile on this device: ${log}`);
  }
  const uniforms = new Map<string, WebGLUniformLocation>();
  const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) as number;
  for (let at = 0; at < count; at++) {
    const {name} = gl.getActiveUniform(program, at)!;
    const location = gl.getUniformLocation(program, name);
    if (location !== null) uniforms.set(name, location); // null for what is in a block
  }
  return {program, uniforms};
}
