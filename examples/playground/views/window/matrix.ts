/** The picture of the README, on a canvas: a row for each query, a column for each key. */
import type {Window} from './options';
import {keysOf} from './visible';

export interface Picture {
  window: Window;
  /** Tokens. */
  n: number;
  /** The query that is looked at. */
  query: number;
}

/** Draws in whole pixels of the device, as large as `width` (of CSS) allows. */
export function drawMatrix(canvas: HTMLCanvasElement, picture: Picture, width: number): void {
  const {window, n, query} = picture;
  const cell = Math.max(1, Math.floor((width * devicePixelRatio) / Math.max(n, 1)));
  const size = cell * Math.max(n, 1);
  canvas.width = canvas.height = size + 1; // the last line
  canvas.style.width = canvas.style.height = `${(size + 1) / devicePixelRatio}px`;

  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const accent = (opacity: number) => `rgb(${colour('--accent-rgb')} / ${opacity})`;
  const paint = canvas.getContext('2d')!;
  const gap = cell >= 5 ? 1 : 0;
  const fill = (i: number, from: number, to: number) => {
    for (let j = from; j < to; j++) {
      paint.fillRect(j * cell + 1, i * cell + 1, cell - gap, cell - gap);
    }
  };

  const w = window.windowSize;
  paint.fillStyle = colour('--line');
  for (let edge = 0; edge < n + w; edge += w) {
    const at = Math.min(edge, n) * cell;
    paint.fillRect(at, 0, 1, size + 1);
    paint.fillRect(0, at, size + 1, 1);
  }
  for (let i = 0; i < n; i++) {
    const {from, to, self} = keysOf(window, n, i);
    paint.fillStyle = i === query ? accent(1) : accent(0.34);
    fill(i, from, self ? to : i);
    if (!self) fill(i, i + 1, to);
  }
  if (n === 0) return;
  // where the query stands
  const edge = Math.max(1, Math.round(devicePixelRatio));
  paint.lineWidth = 2 * edge;
  paint.strokeStyle = colour('--ink');
  const inset = query * cell + 1;
  paint.strokeRect(inset, inset, cell - gap, cell - gap);
}

/** The query at a part, 0 … 1, of the height or the width that all of them share. */
export function rowAt(fraction: number, n: number): number {
  return Math.max(0, Math.min(n - 1, Math.floor(fraction * n)));
}
