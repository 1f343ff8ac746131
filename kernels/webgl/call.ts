/** One call of a kernel: its layout, the textures and tensors that it has taken, and its draws. */
import type {TensorInfo} from '@tensorflow/tfjs';

import type {Problem} from '../../src/attention/problem';
import type {WebGLBackend} from './backend';
import {Device, deviceOf, targetsOf} from './device';
import {Given as DrawGiven, drawCells, drawTensor} from './draw';
import {blockOf, optionsOf} from './facts';
import {Grid, Layout, layoutOf} from './layout';
import type {Pass} from './program';
import {makeTensor} from './tensors';
import type {Cells} from './textures';

export type Given = Omit<DrawGiven, 'options'>;

/** Tiles first … end − 1, whose scores are there at a time. */
export interface Chunk {
  first: number;
  end: number;
}

export class Call {
  readonly device: Device;
  readonly targets: number;
  readonly layout: Layout;
  private readonly options;
  private readonly inUse = new Set<Cells>();
  private readonly made = new Set<TensorInfo>();

  constructor(
    readonly backend: WebGLBackend,
    readonly problem: Problem,
  ) {
    this.device = deviceOf(backend);
    this.targets = (targetsOf(this.device) as {count: number}).count;
    this.layout = layoutOf(problem, this.targets);
    this.options = optionsOf(problem);
    const {gl, facts} = this.device;
    gl.bindBuffer(gl.UNIFORM_BUFFER, facts);
    gl.bufferData(gl.UNIFORM_BUFFER, blockOf(problem, this.layout), gl.DYNAMIC_DRAW);
    gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, facts);
  }

  /** A texture of the call; what it holds is anything. */
  take(grid: Grid): Cells {
    const cells = this.device.textures.take(grid);
    this.inUse.add(cells);
    return cells;
  }

  give(cells: Cells): void {
    this.inUse.delete(cells);
    this.device.textures.give(cells);
  }

  /** A new texture of what a pass draws. */
  drawn(pass: Pass, grid: Grid, given: Given): Cells {
    const cells = this.take(grid);
    this.draw(pass, cells, given);
    return cells;
  }

  /** Draws the rows first … end − 1, or all. */
  draw(pass: Pass, to: Cells, given: Given, first?: number, end?: number): void {
    const {device, targets, options} = this;
    drawCells(device, pass, targets, to, {...given, options}, first, end);
  }

  /** A new tensor of what a pass draws. */
  tensor(pass: Pass, shape: number[], given: Given): TensorInfo {
    const info = makeTensor(this.backend, shape);
    this.made.add(info);
    const {device, backend, targets, options} = this;
    drawTensor(device, backend, pass, targets, info, {...given, options});
    return info;
  }

  drop(info: TensorInfo): void {
    this.made.delete(info);
    this.backend.disposeData(info.dataId);
  }

  /** Gives back what is the call's own; the tensors it made too, unless it has computed them. */
  leave(computed: boolean): void {
    const {gl, textures} = this.device;
    for (const cells of this.inUse) textures.give(cells);
    textures.trim();
    if (!computed) for (const info of this.made) this.backend.disposeData(info.dataId);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.bindVertexArray(null);
  }
}

/** What `compute` draws, and whatever becomes of it, nothing of the call stays. */
export function within(
  backend: unknown,
  problem: Problem,
  compute: (call: Call) => TensorInfo[],
): TensorInfo[] {
  const call = new Call(backend as WebGLBackend, problem);
  let computed = false;
  try {
    const results = compute(call);
    computed = true;
    return results;
  } finally {
    call.leave(computed);
  }
}
