/** Compare. */
import './compare.css';

export function mount(section: HTMLElement): void {
  section.innerHTML = '<h1 id="title-compare">Compare</h1>';
}
