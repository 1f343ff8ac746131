/** Compare: fused beside composed, on each backend of this machine. */
import './compare.css';
import {thisBrowser} from './browser';
import {Card, makeCard} from './card';
import {rangeOf} from './chart';
import {Candidate, candidates} from './machine';
import {configuration, markdownOf} from './markdown';
import {PAGE} from './page';
import {noLines} from './plan';
import {measure} from './run';
import {verifyAll} from './verified';

declare const __VERSIONS__: string; // by vite.config.mts

export async function mount(section: HTMLElement): Promise<void> {
  section.innerHTML = PAGE;
  const find = <T extends HTMLElement>(id: string) => section.querySelector<T>(`#compare-${id}`)!;
  const form = find<HTMLFormElement>('form');
  const state = find('state');
  const found = await candidates();
  showBackends(find('backends'), found);

  let cards: Card[] = [];
  let busy: AbortController | null = null;
  let measured = false; // with its gradient
  const gradient = () => new FormData(form).get('gradient') === 'yes';
  const chosen = () => found.filter((_, at) => form.querySelector<HTMLInputElement>(`#compare-backend-${at}`)!.checked); // prettier-ignore

  function render(): void {
    find('case').textContent = `${configuration(gradient())}.`;
    find<HTMLButtonElement>('measure').disabled = busy !== null;
    find<HTMLButtonElement>('verify').disabled = busy !== null;
    find<HTMLButtonElement>('stop').disabled = busy === null;
    const some = cards.some(({lines}) => lines.composite.points.size > 0);
    find<HTMLButtonElement>('copy').disabled = !some;
    find('key').hidden = cards.length === 0;
    // the same axes for all, so that backends can be compared by eye
    const points = cards.flatMap(({lines: {fused, composite}}) => [
      ...fused.points.values(),
      ...composite.points.values(),
    ]);
    const time = rangeOf(points.map(({ms}) => ms));
    const memory = rangeOf(points.map(({bytes}) => bytes));
    for (const card of cards) card.draw(time, memory);
  }

  async function measureAll(): Promise<void> {
    for (const card of cards) card.remove();
    cards = [];
    const wanted = {
      longest: Number(find<HTMLSelectElement>('longest').value),
      gradient: (measured = gradient()),
    };
    for (const candidate of chosen()) {
      const card = makeCard(find('charts'), candidate, noLines(), wanted.longest);
      cards.push(card);
      const tell = (now: string) => {
        if (now) state.textContent = `${candidate.title}: ${now}…`;
        render();
      };
      tell('starting');
      const reason = await measure(candidate, card.lines, {...wanted, signal: busy!.signal}, tell);
      if (reason) card.lines.fused.ended = card.lines.composite.ended = `not measured: ${reason}`;
    }
    state.textContent = cards.length > 0 ? 'All is measured.' : 'No backend is chosen.';
  }

  /** One thing at a time: two would slow each other down. */
  async function during(work: () => Promise<void>): Promise<void> {
    busy = new AbortController();
    const pressed = document.activeElement as HTMLElement | null;
    render();
    find('stop').focus(); // what was pressed cannot be pressed now
    try {
      await work();
    } catch (error) {
      state.textContent = busy.signal.aborted ? 'Stopped.' : (error as Error).message;
    }
    busy = null;
    const here = document.activeElement === find('stop');
    render();
    if (here) pressed?.focus();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void during(measureAll);
  });
  form.addEventListener('change', render);
  find('stop').addEventListener('click', () => busy?.abort());
  find('verify').addEventListener('click', () => {
    void during(async () => {
      const tell = (now: string) => void (state.textContent = now);
      state.textContent = await verifyAll(find('verified'), chosen(), tell, busy!.signal);
    });
  });
  find('copy').addEventListener('click', () => {
    const rows = cards.map(({candidate, lines}) => ({...candidate, lines}));
    const date = new Date().toISOString().slice(0, 10);
    const where = {browser: thisBrowser(), versions: __VERSIONS__, date, gradient: measured};
    // a page of plain http has no clipboard
    const copied = navigator.clipboard?.writeText(markdownOf(rows, where)) ?? Promise.reject();
    void copied.then(
      () => void (state.textContent = 'Copied.'),
      () => void (state.textContent = 'This browser does not let the page copy.'),
    );
  });
  render();
}

function showBackends(place: HTMLElement, found: readonly Candidate[]): void {
  found.forEach(({title, device, missing}, at) => {
    const label = document.createElement('label');
    label.className = 'check';
    const flags = missing ? 'disabled' : 'checked';
    label.innerHTML = `<input type="checkbox" id="compare-backend-${at}" ${flags} /><span>${title}<small></small></span>`;
    label.querySelector('small')!.textContent = missing ?? device;
    place.append(label);
  });
}
