/** Write: a model continues the visitor's words, and shows what it looked at. */
import './write.css';
import type {BackendName} from '../../engine/backend';
import config from '../../model/config.json';
import {controls} from './controls';
import {Hand, openHand, openWarmHand} from './hands';
import {MARKUP} from './markup';
import {look} from './look';
import {pace} from './pace';
import {showText} from './text';

/** More than the model can see, so that what it writes does not depend on the cut. */
const CONTEXT = 256;

export async function mount(section: HTMLElement): Promise<void> {
  section.innerHTML = MARKUP;
  const at = <Kind extends HTMLElement>(id: string) => section.querySelector<Kind>(`#${id}`)!;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;

  let first: Hand | null = null; // on cpu
  let hand: Hand | null = null; // who writes now
  let begun = false; // whether it knows what it is to continue
  let turn = 0; // which text it is: what is still on its way for an earlier one is dropped
  let written = '';
  let sentence = ''; // not yet spoken

  const text = showText(at('text'), () => looking.render());
  const looking = look(section, text, () => first?.attention ?? null, config.shape);
  const stream = pace(() => form.speed(), still ? 1000 : 16, pull);
  const form = controls(section, {again, changed: () => void (begun = false), chose});
  at('stop').addEventListener('click', () => (stream.running ? stop() : go()));
  at('again').addEventListener('click', again);
  const listening = new AbortController();
  const hear = (event: Event) => {
    // while another view is shown nothing is computed here
    if ((event as CustomEvent<string>).detail === 'write') resume();
    else pause();
  };
  addEventListener('view', hear, {signal: listening.signal});

  let paused = false;
  const pause = () => {
    if (!stream.running) return; // stopped by the visitor, or by a view before
    paused = true;
    stream.stop();
  };
  const resume = () => {
    if (paused) stream.start();
    paused = false;
  };
  function go() {
    if (!hand) return; // it begins by itself as soon as somebody can write
    if (section.hidden) paused = true;
    else stream.start();
    render();
  }
  function stop() {
    stream.stop();
    render();
  }
  function again() {
    written = form.prompt() || '\n\n'; // without words, a paragraph begins
    begun = false;
    turn++;
    text.reset(written);
    go();
  }

  async function pull(count: number): Promise<boolean> {
    const mine = hand!;
    const now = turn;
    try {
      if (!begun) {
        begun = true;
        await mine.write.begin(written.slice(-CONTEXT), form.manner());
        if (now !== turn) return true; // else it would take the first characters of the next text
      }
      const more = await mine.write.next(count);
      if (now !== turn || mine !== hand) return true; // begun again meanwhile, or taken over
      if (performance.getEntriesByName('first-text').length === 0) performance.mark('first-text');
      written = (written + more).slice(-4 * CONTEXT);
      text.append(more);
      speak(more);
      looking.follow();
      return true;
    } catch (error) {
      const {name, message} = error as Error;
      const reason = name === 'DeviceLost' ? message : `${mine.name} stopped: ${message}`;
      if (mine === hand && now === turn) giveUp(mine, reason);
      return mine !== first;
    }
  }

  /** A sentence at a time, for those who listen. */
  function speak(more: string) {
    sentence += more;
    const end = sentence.search(/[.!?;]\s/);
    if (end < 0) return;
    at('spoken').textContent = sentence.slice(0, end + 1);
    sentence = sentence.slice(end + 2);
  }

  /** Another backend takes over as soon as it has shown that it can write. */
  async function chose(name: BackendName) {
    complain(null);
    if (hand && hand !== first) hand.close();
    take(first);
    if (name === 'cpu' || !first) return render();
    render(`${name} is starting; until then cpu writes.`);
    try {
      const other = await openWarmHand(name, form.prompt() || '\n');
      if (form.backend() !== name || hand !== first) return other.close();
      take(other);
      performance.mark(`${name}-writes`);
      void other.lost.then((reason) => hand === other && giveUp(other, reason));
    } catch (error) {
      if (form.backend() === name) giveUp(null, (error as Error).message);
    }
    render();
  }

  /** Goes on with cpu, and says why; where it was cpu that failed, nobody goes on. */
  function giveUp(failed: Hand | null, reason: string) {
    if (failed && failed === first) stream.stop();
    else failed?.close();
    take(first);
    form.setBackend('cpu');
    complain(failed && failed === first ? reason : `${reason} cpu goes on.`);
    render();
  }

  function take(next: Hand | null) {
    if (next === hand) return;
    hand = next;
    begun = false;
    // anew, since what was asked of a worker that is closed is never answered
    if (stream.running) stream.start();
  }

  function complain(problem: string | null) {
    at('problem').hidden = problem === null;
    at('problem').textContent = problem ?? '';
  }

  function render(instead?: string) {
    at('stop').textContent = stream.running || paused || !hand ? 'Stop' : 'Continue';
    if (hand) at('hand').textContent = instead ?? `${hand.name} writes: ${hand.device}.`;
  }

  text.reset(form.prompt());
  try {
    first = await openHand('cpu');
  } catch (error) {
    listening.abort(); // the view begins anew when it is shown again
    throw error;
  }
  hand = first;
  again();
  await form.ready(first.write);
  if (form.backend() !== 'cpu') void chose(form.backend());
}
