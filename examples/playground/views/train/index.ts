/** Train. */
import './train.css';

export function mount(section: HTMLElement): void {
  section.innerHTML = '<h1 id="title-train">Train</h1>';
}
