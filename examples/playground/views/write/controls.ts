/** The form: what the visitor sets, read when it is needed. */
import type {Remote} from 'comlink';

import type {BackendName} from '../../engine/backend';
import type {Manner, write} from '../../engine/write';

export interface Controls {
  prompt(): string;
  manner(): Manner;
  /** Characters a second. */
  speed(): number;
  backend(): BackendName;
  setBackend(name: BackendName): void;
  /** From now on it tells which characters the model does not know. */
  ready(model: Remote<typeof write>): Promise<void>;
}

interface Told {
  /** Other words, or another seed: the text begins again. */
  again(): void;
  /** What the next character is drawn by. */
  changed(): void;
  chose(name: BackendName): void;
}

const SLIDERS = ['speed', 'temperature', 'top-p'];

export function controls(section: HTMLElement, told: Told): Controls {
  const at = <Kind extends HTMLElement = HTMLInputElement>(id: string) =>
    section.querySelector<Kind>(`#${id}`)!;
  const number = (id: string) => Number(at(id).value);
  const backend = at<HTMLSelectElement>('backend');
  let model: Remote<typeof write> | null = null;

  const render = () => {
    at('speed-value').textContent = `${number('speed')} a second`;
    at('temperature-value').textContent =
      number('temperature') === 0 ? 'always the likeliest' : number('temperature').toFixed(2);
    at('top-p-value').textContent = number('top-p') === 1 ? 'all' : number('top-p').toFixed(2);
  };
  const explain = async () => {
    // where the model does not come, the writing says so
    const strange = (await model?.missing(at('prompt').value).catch(() => null)) ?? [];
    const listed = strange.map((character) => JSON.stringify(character)).join(', ');
    at('prompt-note').textContent = listed && `The model has never read ${listed}.`;
  };

  at('controls').addEventListener('submit', (event) => {
    event.preventDefault();
    told.again();
  });
  for (const id of SLIDERS) at(id).addEventListener('input', render);
  at('temperature').addEventListener('change', told.changed);
  at('top-p').addEventListener('change', told.changed);
  at('prompt').addEventListener('change', () => {
    void explain();
    told.again();
  });
  at('seed').addEventListener('change', told.again);
  at('another').addEventListener('click', () => {
    at('seed').value = String(Math.floor(Math.random() * 1e6));
    told.again();
  });
  backend.addEventListener('change', () => told.chose(backend.value as BackendName));
  const asked = new URLSearchParams(location.search).get('backend');
  if (Array.from(backend.options).some(({value}) => value === asked)) backend.value = asked!;
  render();

  return {
    prompt: () => at('prompt').value,
    manner: () => ({
      temperature: number('temperature'),
      topP: number('top-p'),
      seed: Math.min(2 ** 31 - 1, Math.max(0, Math.floor(number('seed')))),
    }),
    speed: () => number('speed'),
    backend: () => backend.value as BackendName,
    setBackend: (name) => void (backend.value = name),
    async ready(write) {
      model = write;
      await explain();
    },
  };
}
