/** The window of each head as a small picture: a row for each of the last queries, a column a key. */
import type {Attention} from '../../engine/attention_weights';

const ROWS = 24; // queries in a picture, the last at its foot

export interface Heads {
  show(attention: Attention): void;
  /** How much each of the last keys is looked at by the chosen head, or by all of them on average. */
  looks(attention: Attention): number[];
}

/**
 * @param all the button that chooses all of them
 * @param window keys before a query that it sees
 * @param onChoice is told when another head is chosen
 */
export function showHeads(
  grid: HTMLElement,
  all: HTMLButtonElement,
  {depth, heads, window}: {depth: number; heads: number; window: number},
  onChoice: () => void,
): Heads {
  const pictures = Array.from({length: depth * heads}, (_, at) => picture(at, heads, window));
  grid.style.setProperty('--heads', String(heads));
  grid.append(...pictures.map(({element}) => element));

  let held = -1; // none: all of them
  const choose = (at: number) => {
    held = at === held ? -1 : at;
    render();
    onChoice();
  };
  const render = () => {
    all.setAttribute('aria-pressed', String(held === -1));
    pictures.forEach(({element}, at) => element.setAttribute('aria-pressed', String(at === held)));
  };
  all.addEventListener('click', () => choose(-1));
  pictures.forEach(({element}, at) => element.addEventListener('click', () => choose(at)));
  render();

  const weightsOf = ({layers}: Attention) => layers.flatMap(({heads}) => heads);
  return {
    show(attention) {
      weightsOf(attention).forEach((weights, at) => pictures[at].draw(weights, attention.text));
    },
    looks(attention) {
      const n = [...attention.text].length;
      const chosen = weightsOf(attention).filter((_, at) => held === -1 || at === held);
      const row = (weights: Float32Array) => weights.subarray((n - 1) * n, n * n);
      return Array.from({length: n}, (_, key) => mean(chosen.map((weights) => row(weights)[key])));
    },
  };
}

function picture(at: number, heads: number, window: number) {
  const element = document.createElement('button');
  element.type = 'button';
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [window + 1, ROWS];
  const label = document.createElement('b');
  label.textContent = `${Math.floor(at / heads) + 1}.${(at % heads) + 1}`;
  const most = document.createElement('span');
  element.append(canvas, label, ' ', most);

  const draw = (weights: Float32Array, text: string) => {
    const characters = [...text];
    const n = characters.length;
    const context = canvas.getContext('2d')!;
    const pixels = context.createImageData(window + 1, ROWS);
    const ink = getComputedStyle(canvas).getPropertyValue('--accent-rgb').trim().split(/\s+/);
    for (let row = 0; row < ROWS; row++) {
      const query = n - ROWS + row;
      for (let column = 0; column <= window; column++) {
        const key = query - window + column;
        const look = query < 0 || key < 0 ? 0 : weights[query * n + key];
        pixels.data.set([...ink.map(Number), 255 * look], 4 * (row * (window + 1) + column));
      }
    }
    context.putImageData(pixels, 0, 0);
    most.textContent = mostOf(weights, characters);
  };
  return {element, draw};
}

/** In words, what the last query looked at most. */
function mostOf(weights: Float32Array, characters: string[]): string {
  const n = characters.length;
  const row = weights.subarray((n - 1) * n, n * n);
  const key = row.indexOf(Math.max(...row));
  const back = n - 1 - key;
  const where = back === 0 ? 'itself' : `${back} back`;
  return `${nameOf(characters[key])}, ${where}, ${Math.round(100 * row[key])}\u00a0%`;
}

/** A character as one can say it. */
export function nameOf(character: string): string {
  if (character === ' ') return 'a space';
  return character === '\n' ? 'a line break' : `“${character}”`;
}

const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
