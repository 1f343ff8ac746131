/** Heat maps of attention weights, one a head: a row for each query, a column for each key. */
import type {Attention, HeadWeights} from '../../engine/attention';

/** A head by its block and its place in it. */
export interface Head {
  layer: number;
  head: number;
}

/** How strong a weight is drawn, 0 … 1: by its root, since most are small. */
export function strength(weight: number): number {
  return Math.sqrt(Math.min(1, Math.max(0, weight)));
}

/** Draws n × n pixels, which the style sheet makes larger. */
export function drawHeat(canvas: HTMLCanvasElement, weights: HeadWeights, n: number): void {
  canvas.width = canvas.height = n;
  const rgb = getComputedStyle(canvas).getPropertyValue('--accent-rgb').trim().split(/\s+/);
  const image = new ImageData(n, n);
  for (let at = 0; at < n * n; at++) {
    image.data.set([+rgb[0], +rgb[1], +rgb[2], 255 * strength(weights[at])], 4 * at);
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

/** The buttons, one a head; the one that is pressed tints the text. */
export function drawHeads(
  place: HTMLElement,
  {layers, text}: Attention,
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
    drawHeat(button.querySelector('canvas')!, weights, n);
  }
}

function blockHtml(layer: number, heads: number): string {
  const buttons = Array.from({length: heads}, (_, head) => {
    return `<button type="button" data-layer="${layer}" data-head="${head}">
      <span class="map"><canvas></canvas><i></i></span><span>Head ${head + 1}</span></button>`;
  });
  const name = `Block ${layer + 1}`;
  return `<div class="block" role="group" aria-label="${name}"><h3>${name}</h3>
    <div class="heads">${buttons.join('')}</div></div>`;
}
