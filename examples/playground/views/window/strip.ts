/** The text itself: its characters, tinted by how much the query looks at each. */

/** @param tint of key j, 0 … 1 */
export function drawStrip(
  place: HTMLElement,
  characters: readonly string[],
  query: number,
  tint: (j: number) => number,
): void {
  if (place.childElementCount !== characters.length) {
    place.replaceChildren(...characters.map(() => document.createElement('span')));
  }
  characters.forEach((character, j) => {
    const span = place.children[j] as HTMLElement;
    const shown = character === '\n' ? '¶' : character === ' ' ? '\u00a0' : character;
    if (span.textContent !== shown) span.textContent = shown;
    span.classList.toggle('query', j === query);
    span.style.setProperty('--tint', tint(j).toFixed(3));
  });
}

/** The place of the character that an event happened on, or null. */
export function placeOf(strip: HTMLElement, target: EventTarget | null): number | null {
  const at = Array.from(strip.children).indexOf(target as Element);
  return at < 0 ? null : at;
}
