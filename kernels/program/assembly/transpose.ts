/** Matrices transposed: x [batch][rows][columns] -> to [batch][columns][rows]. */
import {intoLanes} from './lanes';

/** Columns that are written together: their rows lie far apart, and each is begun anew in the cache. */
const TOGETHER: i32 = 8;

export function transpose(x: usize, batch: i32, rows: i32, columns: i32, to: usize): void {
  const row = (<usize>columns) << 2;
  const column = (<usize>rows) << 2;
  const fours = rows & ~3;
  const bytes = column * (<usize>columns);
  for (; batch > 0; batch--) {
    for (let c = 0; c < columns; c += TOGETHER) {
      const from = x + ((<usize>c) << 2);
      const at = to + (<usize>c) * column;
      const length = min(TOGETHER, columns - c);
      for (let r = 0; r < fours; r += 4) {
        intoLanes(from + (<usize>r) * row, row, 4, length, at + ((<usize>r) << 2), column);
      }
      for (let r = fours; r < rows; r++) {
        for (let i: usize = 0; i < <usize>length; i++) {
          store<f32>(at + ((<usize>r) << 2) + i * column, load<f32>(from + (<usize>r) * row + (i << 2))); // prettier-ignore
        }
      }
    }
    x += bytes;
    to += bytes;
  }
}
