/** Lines that the model has written, the newest first. */
const MOST = 6;

export class Samples {
  constructor(private readonly list: HTMLElement) {}

  add(step: number, prompt: string, text: string): void {
    const line = document.createElement('li');
    const at = document.createElement('span');
    at.className = 'at';
    at.textContent = `step ${step.toLocaleString('en')}`;
    const words = document.createElement('q');
    const given = document.createElement('span');
    given.textContent = prompt;
    words.append(given, text);
    line.append(at, words);
    this.list.prepend(line);
    while (this.list.childElementCount > MOST) this.list.lastElementChild!.remove();
    this.list.hidden = false;
  }

  clear(): void {
    this.list.replaceChildren();
    this.list.hidden = true;
  }
}
