/**
 * The page: four views, one at a time, named by the hash of the address. No framework: a view is a
 * function that fills its section when it is first shown, and keeps a plain object as its state.
 * TF.js runs in workers alone (engine/), so that the page answers while they compute.
 */
import './style.css';
import {chooseTheme} from './theme';

type Mount = (section: HTMLElement) => void | Promise<void>;

const VIEWS: Record<string, () => Promise<{mount: Mount}>> = {
  write: () => import('./views/write'),
  window: () => import('./views/window'),
  train: () => import('./views/train'),
  compare: () => import('./views/compare'),
};
const mounted = new Set<string>();

/** Shows the view that the address names, the first where it names none. */
async function show(): Promise<void> {
  const named = location.hash.slice(1);
  if (named === 'content' && mounted.size > 0) return; // the link that skips the head of the page
  const view = Object.hasOwn(VIEWS, named) ? named : 'write';
  for (const name of Object.keys(VIEWS)) {
    sectionOf(name).hidden = name !== view;
    const link = document.querySelector(`nav a[href="#${name}"]`)!;
    if (name === view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  // a view that is hidden goes on with what it has begun, but may draw less
  dispatchEvent(new CustomEvent('view', {detail: view}));
  if (mounted.has(view)) return;
  mounted.add(view);
  try {
    const {mount} = await VIEWS[view]();
    await mount(sectionOf(view));
  } catch (error) {
    mounted.delete(view); // it begins anew when it is shown again
    explain(sectionOf(view), error as Error);
  }
}

function explain(section: HTMLElement, {message}: Error): void {
  const problem = document.createElement('p');
  problem.className = 'problem';
  problem.setAttribute('role', 'alert');
  problem.textContent = `This view cannot be shown. ${message}`;
  section.replaceChildren(problem);
}

function sectionOf(view: string): HTMLElement {
  return document.getElementById(`view-${view}`)!;
}

if (import.meta.env.DEV) document.querySelector('.bottom a')!.remove(); // the site has them, the server of Vite has not
chooseTheme(document.getElementById('theme') as HTMLButtonElement);
// a file that is dropped where no view takes it would take the place of the page
for (const type of ['dragover', 'drop'] as const) {
  addEventListener(type, (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
  });
}
addEventListener('hashchange', () => void show());
void show();
