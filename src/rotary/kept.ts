/**
 * What was made before, by all that it depends on. Beyond so many bytes, what was used least
 * recently goes.
 */
export class Kept<T extends object> {
  private readonly made = new Map<string, T>();
  private bytes = 0;

  constructor(
    private readonly bytesOf: (made: T) => number,
    private readonly most = 2 ** 26, // what a model needs again and again
  ) {}

  get(key: string, make: () => T): T {
    const kept = this.made.get(key);
    const found = kept ?? make();
    this.made.delete(key);
    this.made.set(key, found);
    if (!kept) this.bytes += this.bytesOf(found);
    for (const [oldest, one] of this.made) {
      if (this.bytes <= this.most) break;
      this.made.delete(oldest);
      this.bytes -= this.bytesOf(one);
    }
    return found;
  }
}
