/** The text on the screen, a character a span, of which one can be chosen. */
const LONGEST = 1600; // characters that are kept on the screen

export interface Text {
  /** Begins anew with the words of the visitor. */
  reset(prompt: string): void;
  append(written: string): void;
  /** What is on the screen. */
  characters(): string[];
  /** The place of the chosen character among them, or null. */
  chosen(): number | null;
  /** Tints characters by how much they were looked at, 0 to 1, the first at `from`. */
  tint(from: number, looks: ArrayLike<number>): void;
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
    characters: () => Array.from(box.children, (span) => span.textContent!),
    chosen: () => (chosen ? Array.prototype.indexOf.call(box.children, chosen) : null),
    tint(from, looks) {
      clear();
      Array.from(looks).forEach((look, at) => {
        const span = box.children[from + at] as HTMLElement | undefined;
        if (!span || look < 0.01) return;
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
