/** From scores to weights: the statistics of each row, then exp(s − maximum) / sum. */
import {CELL_OF_TILE, DROPOUT, TILES} from '../pieces';
import {Pass, pass} from '../program';

/** The largest score of each query of a tile, and Σ exp(s − largest). A row that sees nothing: −1e30, 0. */
export const statistics = pass({
  name: 'statistics',
  cells: ['scores'],
  uniforms: ['firstTile'],
  pieces: [
    TILES,
    `
vec4 exponential(vec4 x) {
  uvec4 bits = floatBitsToUint(x) & uvec4(0x7fffffffu);
  return mix(exp(x), x, greaterThan(bits, uvec4(0x7f800000u))); // there are devices whose exp loses NaN
}
`,
  ],
  main: `
  int index = here().x;
  Tile tile = tileAt(index);
  ivec2 at = cell(index - firstTile, 0, scoresGrid);
  vec4 largest = vec4(-1e30);
  for (int column = 0; column < tile.columns; column++) {
    for (int t = 0; t < TARGETS; t++) {
      largest = max(largest, four(scores, at + ivec2(column, 0), t));
    }
  }
  vec4 sum = vec4(0);
  for (int column = 0; column < tile.columns; column++) {
    for (int t = 0; t < TARGETS; t++) {
      vec4 score = four(scores, at + ivec2(column, 0), t);
      sum += mix(exponential(score - largest), vec4(0), equal(score, vec4(HIDDEN)));
    }
  }`,
  results: ['largest', 'sum'],
});

/** P = exp(s − maximum) / sum, 0 where hidden; `kept`: times what dropout keeps. */
export function weights(targets: number, kept: boolean): Pass {
  const layers = Array.from({length: targets}, (_, t) => t);
  return pass({
    name: kept ? 'kept weights' : 'weights',
    cells: ['scores', 'statistics'],
    uniforms: ['firstTile'],
    options: kept ? ['DROPPED'] : [],
    pieces: [
      TILES,
      kept ? DROPOUT : '#define KEPT(tile, j) 1.0',
      `
vec4 weight(vec4 score, vec4 largest, vec4 share, Tile tile, int j) {
  vec4 found = exp(score - largest) * share * KEPT(tile, j);
  return mix(found, vec4(0), equal(score, vec4(HIDDEN)));
}`,
    ],
    main: `${CELL_OF_TILE}
  ivec2 row = cell(firstTile + at.x, 0, statisticsGrid);
  ivec2 from = cell(at.x, at.y, scoresGrid);
  vec4 largest = four(statistics, row, 0);
  vec4 sum = four(statistics, row, 1);
  vec4 share = mix(1.0 / sum, vec4(0), equal(sum, vec4(0)));
  int j = tile.base + at.y * TARGETS;`,
    results: layers.map((t) => `weight(four(scores, from, ${t}), largest, share, tile, j + ${t})`),
  });
}
