/**
 * The weights of a head as the band of its window: a column for each query, a row for each distance of
 * a key. Most of an n × n picture would be empty; of the band nothing is.
 */
import type {Attention, HeadWeights} from '../../engine/attention';
import type {Window} from './options';
import {keysOf} from './visible';

/** A head by its block and its place in it. */
export interface Head {
  layer: number;
  head: number;
}

export interface Reach {
  /** Of all queries, the most tokens before and after that a key is. */
  back: number;
  ahead: number;
}

export function reachOf(window: Window, n: number): Reach {
  const keys = Array.from({length: n}, (_, i) => ({i, ...keysOf(window, n, i)}));
  return {
    back: Math.max(...keys.map(({i, from}) => i - from)),
    ahead: Math.max(...keys.map(({i, to}) => to - 1 - i)),
  };
}

/** How strong a weight is drawn, 0 … 1: by its root, since most are small. */
export function strength(weight: number): number {
  return Math.sqrt(Math.min(1, Math.max(0, weight)));
}

/** The opacities of the band, row by row: the first is of the keys that are furthest before. */
export function bandOf(weights: HeadWeights, n: number, {back, ahead}: Reach): Float32Array {
  const band = new Float32Array(n * (back + 1 + ahead));
  for (let i = 0; i < n; i++) {
    for (let j = Math.max(0, i - back); j <= Math.min(n - 1, i + ahead); j++) {
      band[(back + j - i) * n + i] = strength(weights[i * n + j]);
    }
  }
  return band;
}

/** A pixel for each weight, which the style sheet makes larger. */
function drawBand(canvas: HTMLCanvasElement, band: Float32Array, n: number): void {
  canvas.width = n;
  canvas.height = band.length / n;
  const rgb = getComputedStyle(canvas).getPropertyValue('--accent-rgb').trim().split(/\s+/);
  const image = new ImageData(n, band.length / n);
  band.forEach((opacity, at) => {
    image.data.set([+rgb[0], +rgb[1], +rgb[2], 255 * opacity], 4 * at);
  });
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

/** The buttons, one a head; the one that is pressed tints the text. */
export function drawHeads(
  place: HTMLElement,
  {layers, text}: Attention,
  reach: Reach,
  chosen: Head,
  choose: (head: Head) => void,
): void {
  const heads = layers.flatMap(({heads}, layer) => heads.map((weights, head) => ({weights, layer, head}))); // prettier-ignore
  // kept while their number is the same, so that a button in focus stays in focus
  if (place.querySelectorAll('button').length !== heads.length) {
    place.innerHTML = layers.map(({heads}, layer) => blockHtml(layer, heads.length)).join('');
    for (const button of Array.from(place.querySelectorAll('button'))) {
      const {layer, head} = button.dataset;
      button.addEventListener('click', () => choose({layer: Number(layer), head: Number(head)}));
    }
  }
  const n = [...text].length;
  for (const {weights, layer, head} of heads) {
    const button = place.querySelector(`[data-layer="${layer}"][data-head="${head}"]`)!;
    const pressed = chosen.layer === layer && chosen.head === head;
    button.setAttribute('aria-pressed', String(pressed));
    drawBand(button.querySelector('canvas')!, bandOf(weights, n, reach), n);
  }
}

function blockHtml(layer: number, heads: number): string {
  const buttons = Array.from({length: heads}, (_, head) => {
    return `<button type="button" data-layer="${layer}" data-head="${head}">
      <span>Head ${head + 1}</span><span class="map"><canvas></canvas><i></i></span></button>`;
  });
  const name = `Block ${layer + 1}`;
  return `<div class="block" role="group" aria-label="${name}"><h3>${name}</h3>
    <div class="heads">${buttons.join('')}</div></div>`;
}
