/** Write: a model continues the visitor's prompt. */
import './write.css';
import {openEngine} from '../../engine/open';

export async function mount(section: HTMLElement): Promise<void> {
  section.innerHTML = '<h1 id="title-write">Write</h1><p id="write-state" role="status"></p>';
  const {engine} = openEngine();
  const started = await engine.startBackend('cpu');
  const told = 'device' in started ? `${started.name}, ${started.device}` : started.reason;
  section.querySelector('#write-state')!.textContent = told;
}
