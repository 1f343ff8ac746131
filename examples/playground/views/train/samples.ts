/** Lines that the model has written, the newest first. */
const MOST = 12;

export class Samples {
  constructor(
    private readonly list: HTMLElement,
    private readonly none: HTMLElement,
  ) {}

  add(step: number, text: string): void {
    const line = document.createElement('li');
    const at = document.createElement('span');
    at.className = 'at';
    at.textContent = `step ${step.toLocaleString('en')}`;
    const words = document.createElement('q');
    words.textContent = text;
    line.append(at, words);
    this.list.prepend(line);
    while (this.list.childElementCount > MOST) this.list.lastElementChild!.remove();
    this.show(true);
  }

  clear(): void {
    this.list.replaceChildren();
    this.show(false);
  }

  private show(some: boolean): void {
    this.list.hidden = !some;
    this.none.hidden = some;
  }
}
