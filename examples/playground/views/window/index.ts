/** See the window. */
import './window.css';

export function mount(section: HTMLElement): void {
  section.innerHTML = '<h1 id="title-window">See the window</h1>';
}
