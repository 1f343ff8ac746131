/**
 * See the window. What a query sees is arithmetic and is drawn in the frame of the change; the weights
 * come from the worker as fast as it gives them, and until then those of before are drawn paler.
 */
import './window.css';
import {shape} from '../../model/config.json';
import {makeControls} from './controls';
import {Head, drawHeads, reachOf, strength} from './heat';
import {drawMatrix, rowAt} from './matrix';
import {showMemory} from './memory_bars';
import {Window, codeOf, mended, refusal} from './options';
import {PAGE} from './page';
import {drawStrip, placeOf} from './strip';
import {keysOf, sees} from './visible';
import {Answer, weightsOf} from './weights';
import {bandSentence, headSentence, ruleOf, sentenceOf} from './words';

const LONGEST = 64;

export function mount(section: HTMLElement): void {
  section.innerHTML = PAGE;
  const find = <T extends HTMLElement>(id: string) => section.querySelector<T>(`#window-${id}`)!;
  const canvas = find<HTMLCanvasElement>('matrix');
  const strip = find('strip');
  const input = find<HTMLInputElement>('text');
  const heads = find('heads');

  // that of the model, whose weights are then as it has them
  let chosen: Window = {
    ...{windowSize: shape.window, lookBackward: 1, lookForward: 0, causal: true},
    ...{exactWindowsize: true, positions: 'rotary', sharedQk: false},
  };
  let drawn = chosen; // the last that the package takes
  let query = 29;
  let head: Head = {layer: 0, head: 0};
  let answer: Answer | null = null;

  const controls = makeControls(find<HTMLFormElement>('controls'), (changed) => {
    choose({...chosen, ...changed});
  });
  const ask = weightsOf(
    (came) => {
      answer = came;
      find('state').textContent = '';
      render();
    },
    (reason) => void (find('state').textContent = `There are no weights: ${reason}`),
  );
  find('state').textContent = 'The model is loading…';

  const characters = () => [...input.value].slice(0, LONGEST);
  const fresh = () => answer?.asked.window === drawn && answer.asked.text === characters().join('');

  function choose(window: Window): void {
    chosen = window;
    if (!refusal(window)) drawn = window;
    render();
    askForWeights();
  }

  function askForWeights(): void {
    if (characters().length > 0) ask({text: characters().join(''), window: drawn});
  }

  function select(row: number): void {
    query = row;
    render();
  }

  function render(): void {
    const text = characters();
    const n = text.length;
    query = Math.max(0, Math.min(query, n - 1));
    const refused = refusal(chosen);
    controls.show(chosen);
    find('refused').hidden = !refused;
    find('seen').hidden = refused !== null;
    find('refusal').textContent = refused;
    find('mend').textContent =
      mended(chosen).positions === chosen.positions ? 'Set look forward to 0' : 'Use rotary';
    section.querySelector('figure')!.classList.toggle('stale', refused !== null);
    drawMatrix(canvas, {window: drawn, n, query}, find('frame').clientWidth - 1);
    find('code').textContent = codeOf(drawn);
    find('rule').textContent = ruleOf(drawn);
    const sentence = n > 0 ? sentenceOf(drawn, text, query) : 'There is no text to look at.';
    find('sentence').textContent = sentence;
    canvas.setAttribute('aria-valuemax', `${Math.max(1, n)}`);
    canvas.setAttribute('aria-valuenow', `${query + 1}`);
    canvas.setAttribute('aria-valuetext', sentence);
    showMemory(section, drawn);
    const keys = keysOf(drawn, n, query);
    drawStrip(strip, text, query, (j) => (sees(keys, query, j) ? 0.34 : 0));
    renderWeights(text);
  }

  function renderWeights(text: string[]): void {
    heads.classList.toggle('stale', !fresh());
    if (!answer) return;
    const shown = [...answer.attention.text].length;
    const reach = reachOf(answer.asked.window, shown);
    drawHeads(heads, answer.attention, reach, head, (chosen) => {
      head = chosen;
      render();
    });
    find('band').textContent = bandSentence(reach);
    heads.style.setProperty('--n', `${shown}`);
    heads.style.setProperty('--query', `${query}`);
    if (!fresh()) return;
    const n = text.length;
    const weights = answer.attention.layers[head.layer].heads[head.head];
    const row = weights.subarray(query * n, (query + 1) * n);
    drawStrip(find('weighted'), text, query, (j) => strength(row[j]));
    find('head-sentence').textContent = headSentence(head, text, query, row);
  }

  for (const type of ['pointermove', 'pointerdown'] as const) {
    canvas.addEventListener(type, ({offsetY}) => {
      const row = rowAt(offsetY / canvas.clientHeight, characters().length);
      if (row !== query) select(row);
    });
  }
  heads.addEventListener('pointermove', ({target, offsetX}) => {
    const {clientWidth} = target as HTMLElement;
    if (!(target instanceof HTMLCanvasElement)) return;
    const column = rowAt(offsetX / clientWidth, characters().length);
    if (column !== query) select(column);
  });
  canvas.addEventListener('keydown', (event) => {
    const last = characters().length - 1;
    const step = {ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -8, PageDown: 8};
    const to = {Home: 0, End: last}[event.key] ?? query + (step[event.key as keyof typeof step] ?? NaN); // prettier-ignore
    if (Number.isNaN(to)) return;
    event.preventDefault();
    select(Math.max(0, Math.min(last, to)));
  });
  for (const place of [strip, find('weighted')]) {
    const look = ({target}: Event) => {
      const at = placeOf(place, target);
      if (at !== null && at !== query) select(at);
    };
    place.addEventListener('pointerover', look);
    place.addEventListener('click', look);
  }
  input.addEventListener('input', () => {
    render();
    askForWeights();
  });
  find('mend').addEventListener('click', () => choose(mended(chosen)));
  find('length').addEventListener('input', render);
  new ResizeObserver(() => render()).observe(find('frame'));
  addEventListener('theme', () => render());
  render();
  askForWeights();
}
