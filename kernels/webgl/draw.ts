/** One draw: binds what a pass reads, and draws the rows of a grid, or a tensor. */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {WebGLBackend} from './backend';
import {Device, attach, attachTensor} from './device';
import {OPTIONS, Option, Pass, programOf} from './program';
import type {Readable} from './tensors';
import type {Cells} from './textures';

/** About as many fetches as a slow device does in a tenth of a second: browsers stop long draws. */
const MOST_FETCHES = 2 ** 27;

export interface Given {
  cells?: Record<string, Cells | null>;
  tensors?: Record<string, Readable | null>;
  tables?: Record<string, WebGLTexture | null>;
  uniforms?: Record<string, number>;
  options: Record<Option, number>;
  /** Fetches for a cell, roughly. */
  fetches: number;
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Draws the rows first … end − 1 of a grid. */
export function drawCells(
  device: Device,
  pass: Pass,
  targets: number,
  to: Cells,
  given: Given,
  first = 0,
  end = to.grid.rows,
): void {
  const {gl} = device;
  const {columns, layers} = to.grid;
  const parts = rectangles(to, first, end, given.fetches);
  for (let layer = 0; layer < layers; layer += targets) {
    attach(device, to.texture, layer, Math.min(targets, layers - layer));
    use(device, pass, targets, layer, given, [columns, to.height]);
    draw(gl, to, parts);
  }
}

/** Draws a tensor. */
export function drawTensor(
  device: Device,
  backend: WebGLBackend,
  pass: Pass,
  targets: number,
  to: TensorInfo,
  given: Given,
): void {
  const {gl} = device;
  const {texture, texShape} = backend.texData.get(to.dataId);
  const [height, width] = texShape!.map((size) => Math.ceil(size / 2));
  attachTensor(device, texture!.texture);
  use(device, pass, targets, 0, given, [width, height]);
  const grid = {rows: height, columns: width, layers: 1};
  draw(gl, {width, height}, rectangles({grid, height}, 0, height, given.fetches));
}

function use(
  device: Device,
  pass: Pass,
  targets: number,
  first: number,
  {cells = {}, tensors = {}, tables = {}, uniforms = {}, options}: Given,
  grid: [number, number],
): void {
  const defines: Record<string, number> = {};
  for (const name of OPTIONS) defines[name] = pass.options.includes(name) ? options[name] : 0;
  for (const name of pass.tensors) {
    defines[`${name.toUpperCase()}_PACKED`] = +(tensors[name]?.packed ?? false);
  }
  const {program, uniforms: locations} = programOf(device, pass, defines, targets, first);
  const {gl} = device;
  gl.useProgram(program);
  gl.bindVertexArray(device.vertices);
  const set = (name: string, value: number) => gl.uniform1i(locations.get(name) ?? null, value);
  gl.uniform2i(locations.get('grid') ?? null, ...grid);
  let unit = 0;
  const bind = (name: string, target: number, texture: WebGLTexture | null) => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(target, texture);
    set(name, unit++);
  };
  for (const name of pass.cells) {
    const one = cells[name] ?? null;
    bind(name, gl.TEXTURE_2D_ARRAY, one?.texture ?? null);
    if (one) gl.uniform2i(locations.get(`${name}Grid`) ?? null, one.grid.columns, one.height);
  }
  for (const name of pass.tensors) {
    const one = tensors[name];
    bind(name, gl.TEXTURE_2D, one?.texture ?? null);
    for (const [suffix, value] of Object.entries(one?.uniforms ?? {})) set(name + suffix, value);
  }
  for (const name of pass.tables) bind(name, gl.TEXTURE_2D, tables[name] ?? null);
  for (const [name, value] of Object.entries(uniforms)) set(name, value);
}

function draw(
  gl: WebGL2RenderingContext,
  {width, height}: {width: number; height: number},
  parts: Rectangle[],
): void {
  gl.viewport(0, 0, width, height);
  for (const [at, part] of parts.entries()) {
    if (at > 0) gl.flush();
    gl.scissor(part.x, part.y, part.width, part.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}

/** Rows of a folded grid, in parts that are not too long for one draw. */
export function rectangles(
  {grid, height}: Pick<Cells, 'grid' | 'height'>,
  first: number,
  end: number,
  fetches: number,
): Rectangle[] {
  const {columns} = grid;
  const most = Math.max(8, Math.floor(MOST_FETCHES / (columns * fetches)));
  const parts: Rectangle[] = [];
  for (let row = first; row < end;) {
    const fold = Math.floor(row / height);
    const count = Math.min(end - row, most, (fold + 1) * height - row);
    parts.push({x: fold * columns, y: row - fold * height, width: columns, height: count});
    row += count;
  }
  return parts;
}
