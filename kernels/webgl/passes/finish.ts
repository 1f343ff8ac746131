/** Results as TF.js's tensors: 2 × 2 numbers in a texel. */
import {QUERIES, TILES} from '../pieces';
import {pass} from '../program';
import {PACKED, texelOf} from '../tensors';

/** What is mixed for queries, as it is: [..., n, dv] */
export const output = pass({
  name: 'output',
  cells: ['mixes'],
  pieces: [
    TILES,
    QUERIES,
    PACKED,
    `
vec2 pairAt(int head, int i, int c) {
  ivec4 place = placeOf(head, i);
  return halfOf(mixedAt(mixes, mixesGrid, place.y, place.z, c / 4), c);
}
`,
  ],
  main: texelOf('valueDim'),
  results: null,
});

/** [batch, heads, n, 2] */
export const statisticsOutput = pass({
  name: 'output of statistics',
  cells: ['statistics'],
  pieces: [
    TILES,
    QUERIES,
    PACKED,
    `
vec2 pairAt(int head, int i, int c) {
  ivec4 place = placeOf(head, i);
  ivec2 at = cell(place.y, 0, statisticsGrid);
  return vec2(four(statistics, at, 0)[place.z], four(statistics, at, 1)[place.z]);
}
`,
  ],
  main: texelOf('2'),
  results: null,
});
