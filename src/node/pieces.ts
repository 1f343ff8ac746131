import fs from 'node:fs';

const PIECE = 2 ** 30; // bytes: one call of Node's moves less than 2 GiB

/** Fills the bytes from `begin` to `end` of the buffer with what comes next in the file. */
export function readPieces(file: number, buffer: ArrayBuffer, begin: number, end: number): void {
  move(buffer, begin, end, (piece) => fs.readSync(file, piece));
}

export function writePieces(file: number, buffer: ArrayBuffer): void {
  move(buffer, 0, buffer.byteLength, (piece) => fs.writeSync(file, piece));
}

/** `step` says how many bytes of its piece it has moved, from the first one on. */
function move(
  buffer: ArrayBuffer,
  begin: number,
  end: number,
  step: (piece: Uint8Array) => number,
): void {
  for (let at = begin; at < end;) {
    const moved = step(new Uint8Array(buffer, at, Math.min(PIECE, end - at)));
    if (moved === 0) throw new Error(`the file ended ${end - at} bytes too early`);
    at += moved;
  }
}
