/**
 * What was made before, by all that it depends on. Beyond so many bytes, what was used least
 * recently goes.
 */
export class Kept<T extends object> {
  private readonly made = new Map<string, T>();

  constructor(
    private readonly bytesOf: (made: T) => number,
    private readonly most = 2 ** 26, // what a model needs again and again
  ) {}

  get(key: string, make: () => T): T {
    const found = this.made.get(key) ?? make();
    this.made.delete(key);
    this.made.set(key, found);
    let bytes = 0;
    for (const one of this.made.values()) bytes += this.bytesOf(one);
    for (const [oldest, one] of this.made) {
      if (bytes <= this.most) break;
      this.made.delete(oldest);
      bytes -= this.bytesOf(one);
    }
    return found;
  }
}
