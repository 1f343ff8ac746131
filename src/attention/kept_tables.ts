const MOST_BYTES = 2 ** 24; // but those of a call, two at the most, whatever their size

/**
 * A backend's own copies of tables of angles, by the arrays that they are copies of. Beyond so many
 * bytes, what was used least recently goes.
 */
export class KeptTables<Copy> {
  /** The one used longest ago first. */
  private readonly copies = new Map<Float32Array, Copy>();

  constructor(private readonly drop: (copy: Copy) => void) {}

  of(table: Float32Array): Copy | undefined {
    return this.copies.get(table);
  }

  /** Keeps a copy that is used now. */
  keep(table: Float32Array, copy: Copy): void {
    this.copies.delete(table);
    this.copies.set(table, copy);
    let bytes = 0;
    for (const {byteLength} of this.copies.keys()) bytes += byteLength;
    for (const [oldest, one] of this.copies) {
      if (bytes <= MOST_BYTES || this.copies.size <= 2) break;
      this.copies.delete(oldest);
      this.drop(one);
      bytes -= oldest.byteLength;
    }
  }
}
