/** Stands for every character that the alphabet lacks. */
export const REST = '\uFFFD';

/** The characters a model knows, by number: {@link REST} is 0. */
export class Alphabet {
  private readonly known: string[];
  private readonly ids: Map<string, number>;

  /** @param characters each once, without REST */
  constructor(readonly characters: string) {
    this.known = [REST, ...characters];
    this.ids = new Map(this.known.map((character, id) => [character, id]));
  }

  /** The characters that occur at least `least` times in `text`, in order of their code points. */
  static of(text: string, least = 1): Alphabet {
    const counts = new Map<string, number>();
    for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
    counts.delete(REST);
    const frequent = [...counts].filter(([, count]) => count >= least);
    return new Alphabet(frequent.map(([character]) => character).sort().join('')); // prettier-ignore
  }

  /** V: how many numbers there are, REST included. */
  get size(): number {
    return this.known.length;
  }

  encode(text: string): Int32Array {
    return Int32Array.from([...text], (character) => this.ids.get(character) ?? 0);
  }

  decode(ids: Iterable<number>): string {
    return Array.from(ids, (id) => this.known[id]).join('');
  }

  /** The characters of `text` that have no number of their own, each once. */
  missing(text: string): string[] {
    return [...new Set(text)].filter((character) => !this.ids.has(character));
  }
}
