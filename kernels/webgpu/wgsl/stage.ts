/** Rows of a tensor on their way into workgroup memory, column by column. */

interface Staged {
  into: string;
  /** How many rows, the position of the first, and the last position that there is. */
  count: string;
  first: string;
  last: string;
  /** The element of row r and column c, counted from the first staged column. */
  at: string;
  /** The four channels of `row` in column `c`; `position` is that of its token. */
  value: string;
  /** The name of the number of columns that there are. */
  columns: string;
}

/** Stages the columns `column` … of the rows; positions beyond the last repeat it. */
export function stage({into, count, first, last, at, value, columns}: Staged): string {
  return `for (var e = thread; e < ${count} * COLUMNS; e += THREADS) {
      let r = e / COLUMNS;
      let c = column + e % COLUMNS;
      if (c < ${columns}) {
        let position = min(${first} + r, ${last});
        let row = rowOfHead + position;
        ${into}[${at}] = ${value};
      }
    }`;
}

/** Where row r of a tile lies in its column: the four of a lane apart, so that lanes read side by side. */
export const PLACE_OF_MET = '(e % COLUMNS) * PITCH + (r % 4u) * LANES + r / 4u';
/** And a row that a workgroup owns. */
export const PLACE_OF_OWN = '(e % COLUMNS) * OWN + r';
