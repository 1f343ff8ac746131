/** Train: a model learns in a worker, and the page shows how it does. */
import './train.css';
import {openEngine} from '../../engine/open';
import {filesOf, takeDropped} from './dropped';
import {MARKUP} from './markup';
import {button, part} from './parts';
import {Session} from './session';

export async function mount(section: HTMLElement): Promise<void> {
  section.innerHTML = MARKUP;
  const {engine, close} = await openEngine();
  const train = await engine.train().catch((error) => {
    close();
    throw error;
  });
  const session = new Session(train);
  const click = (name: string, work: () => Promise<void>) =>
    button(name).addEventListener('click', () => void session.attempt(work));

  part('choices').addEventListener('submit', (event) => {
    event.preventDefault();
    session.go();
  });
  part('choices').addEventListener('change', () => session.show());
  button('finish').addEventListener('click', () => {
    session.finish();
    button('go').focus(); // the button that was pressed goes when training has ended
  });
  click('new', () => session.forget());
  click('book', () => session.readBook());
  click('save', () => session.save());
  click('load', () => session.load());
  click('download', () => session.download('model'));
  click('checkpoint', () => session.download('checkpoint'));

  part<HTMLInputElement>('file').addEventListener('change', ({target}) => {
    const input = target as HTMLInputElement;
    const files = Array.from(input.files!);
    input.value = ''; // so that the same file may be chosen again
    void session.attempt(() => session.open(files));
  });
  takeDropped(section, (dropped) => {
    const {phase, busy} = session.state;
    if (phase === 'starting' || busy)
      session.show({problem: 'One moment: drop it again when this is done.'}); // prettier-ignore
    else if (phase !== 'idle')
      session.show({problem: 'Stop the training first, and drop it then.'});
    else void session.attempt(async () => session.open(await filesOf(dropped)));
  });
  part('ask').addEventListener('submit', (event) => {
    event.preventDefault();
    const value = (name: string) => part<HTMLInputElement>(name).value;
    void session.attempt(() => session.write(value('prompt'), Number(value('dice'))));
  });
  await session.begin();
}
