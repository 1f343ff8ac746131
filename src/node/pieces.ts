import fs from 'node:fs';

const PIECE = 2 ** 30; // bytes: one call of Node's transfers less than 2 GiB

/** Fills the bytes from `begin` to `end` of the buffer with what comes next in the file. */
export function readPieces(file: number, buffer: ArrayBuffer, begin: number, end: number): void {
  transfer(buffer, begin, end, (piece) => fs.readSync(file, piece));
}

export function writePieces(file: number, buffer: ArrayBuffer): void {
  transfer(buffer, 0, buffer.byteLength, (piece) => fs.writeSync(file, piece));
}

/** `step` says how many bytes of its piece it has transferred, from the first one on. */
function transfer(
  buffer: ArrayBuffer,
  begin: number,
  end: number,
  step: (piece: Uint8Array) => number,
): void {
  let at = begin;
  while (at < end) {
    const transferred = step(new Uint8Array(buffer, at, Math.min(PIECE, end - at)));
    if (transferred === 0) throw new Error(`the file ended ${end - at} bytes too early`);
    at += transferred;
  }
}
