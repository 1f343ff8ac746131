/** The text on the screen, a character a span, of which one can be chosen. */
const LONGEST = 1600; // characters that are kept on the screen

/** Stays the same as long as it is chosen. */
export type Chosen = Pick<HTMLElement, 'textContent'>;

export interface Text {
  /** Begins anew with the words of the visitor. */
  reset(prompt: string): void;
  append(written: string): void;
  /** The chosen character, or null. What leads it may leave the screen meanwhile. */
  chosen(): Chosen | null;
  /** The last `count` characters at most before the chosen one, or else before the newest. */
  before(count: number): string;
  /** Tints those before the chosen one by how much they were looked at, 0 to 1, the last of them last. */
  tint(looks: ArrayLike<number>): void;
}

/** @param onChoice is told when another character is chosen, or none */
export function showText(box: HTMLElement, onChoice: () => void): Text {
  let held: HTMLElement | null = null; // by a click or a key, where a pointer only visits
  let chosen: HTMLElement | null = null;

  const choose = (span: HTMLElement | null) => {
    if (span === chosen) return;
    chosen?.classList.remove('chosen');
    chosen = span;
    chosen?.classList.add('chosen');
    clear();
    onChoice();
  };
  const clear = () => {
    box.querySelectorAll<HTMLElement>('.looked').forEach((span) => {
      span.classList.remove('looked');
      span.style.removeProperty('--look');
    });
  };
  const beforeOf = (count: number) => {
    const spans: HTMLElement[] = [];
    let span = (chosen ?? box.lastElementChild)?.previousElementSibling;
    for (; span && spans.length < count; span = span.previousElementSibling) {
      spans.unshift(span as HTMLElement);
    }
    return spans;
  };
  const spanAt = (event: Event) =>
    (event.target as HTMLElement).closest<HTMLElement>('.text > span');

  box.addEventListener('pointerover', (event) => {
    if ((event as PointerEvent).pointerType === 'mouse') choose(spanAt(event) ?? held);
  });
  box.addEventListener('pointerleave', () => choose(held));
  box.addEventListener('click', (event) => {
    const span = spanAt(event);
    held = span === held ? null : span;
    choose(held);
  });
  box.addEventListener('keydown', (event) => {
    const next = step(box, held ?? (box.lastElementChild as HTMLElement | null), event.key);
    if (next === undefined) return;
    event.preventDefault();
    held = next;
    choose(held);
    held?.scrollIntoView({block: 'nearest'});
  });

  const add = (characters: string, kind: string) => {
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 48;
    const spans = [...characters].map((character) => {
      const span = document.createElement('span');
      span.textContent = character;
      span.className = kind;
      return span;
    });
    box.append(...spans);
    while (box.childElementCount > LONGEST) drop(box.firstElementChild as HTMLElement);
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  };
  const drop = (span: HTMLElement) => {
    if (span === held) held = null;
    if (span === chosen) choose(null);
    span.remove();
  };

  return {
    reset(prompt) {
      held = null;
      choose(null);
      box.replaceChildren();
      add(prompt, 'given');
    },
    append: (written) => add(written, 'written'),
    chosen: () => chosen,
    before: (count) =>
      beforeOf(count)
        .map((span) => span.textContent)
        .join(''),
    tint(looks) {
      clear();
      const spans = beforeOf(looks.length);
      const gone = looks.length - spans.length; // from the screen
      spans.forEach((span, at) => {
        const look = looks[gone + at];
        if (look < 0.01) return;
        span.classList.add('looked');
        span.style.setProperty('--look', String(Math.min(1, look)));
      });
    },
  };
}

/** Where a key leads from a character: undefined where it is not one of ours, null to none. */
function step(box: HTMLElement, from: HTMLElement | null, key: string) {
  const first = box.firstElementChild as HTMLElement | null;
  const last = box.lastElementChild as HTMLElement | null;
  switch (key) {
    case 'ArrowLeft':
      return (from?.previousElementSibling as HTMLElement | null) ?? first;
    case 'ArrowRight':
      return (from?.nextElementSibling as HTMLElement | null) ?? last;
    case 'Home':
      return first;
    case 'End':
      return last;
    case 'Escape':
      return null;
    default:
      return undefined;
  }
}
