/** The weights of local and of full attention as two bars, at a length that the visitor chooses. */
import {bytesOf, comparison, memoryOf} from './memory';
import type {Window} from './options';
import {contextOf} from './visible';

export function showMemory(section: HTMLElement, window: Window): void {
  const find = <T extends HTMLElement>(id: string) => section.querySelector<T>(`#window-${id}`)!;
  const slider = find<HTMLInputElement>('length');
  const n = 2 ** slider.valueAsNumber; // doubled with each step
  const memory = memoryOf(window, n);
  const tokens = `${n.toLocaleString('en')} tokens`;
  slider.setAttribute('aria-valuetext', tokens);
  find('length-value').textContent = tokens;

  const most = Math.max(memory.local, memory.full);
  for (const name of ['local', 'full'] as const) {
    find(name).style.width = `${(100 * memory[name]) / most}%`;
    find(`${name}-value`).textContent = bytesOf(memory[name]);
  }
  const padded = memory.local / contextOf(window);
  const whole = padded === n ? '' : `, padded to ${padded.toLocaleString('en')}`;
  const product = `${padded.toLocaleString('en')} · ${contextOf(window)}`;
  const count = memory.local.toLocaleString('en');
  find('comparison').textContent =
    `${tokens}${whole}: ${product} = ${count} weights; ${comparison(memory)}.`;
}
