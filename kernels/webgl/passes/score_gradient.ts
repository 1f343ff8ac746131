/**
 * dS = P ∘ (dP − Σ P ∘ dP), from weights and what they are worth.
 *
 * Where one key has more than half of the weight, dP − Σ is what rounding leaves of two numbers of
 * ordinary size, but all dP may be counted from that of this key: its own is then exactly 0, and the sum
 * is one of the others alone, small and exact.
 */
import {CELL_OF_TILE, TILES} from '../pieces';
import {Pass, pass} from '../program';

/** Of each query: from where its dP are counted, and their mean from there. */
export const rowGradient = pass({
  name: 'gradient of rows',
  cells: ['weights', 'products'],
  uniforms: ['firstTile'],
  pieces: [TILES],
  main: `
  int index = here().x;
  Tile tile = tileAt(index);
  ivec2 at = cell(index - firstTile, 0, weightsGrid);
  vec4 origin = vec4(0);
  vec4 others = vec4(0);
  vec4 sum = vec4(0);
  for (int column = 0; column < tile.columns; column++) {
    for (int t = 0; t < TARGETS; t++) {
      vec4 weight = four(weights, at, t);
      vec4 product = mix(four(products, at, t), vec4(0), equal(weight, vec4(0)));
      bvec4 ahead = greaterThan(weight, vec4(0.5));
      vec4 other = mix(weight, vec4(0), ahead);
      origin += mix(vec4(0), product, ahead);
      others += other;
      sum += other * product;
    }
    at.x++;
  }`,
  results: ['origin', 'sum - origin * others'],
});

export function scoreGradient(targets: number): Pass {
  return pass({
    name: 'gradient of scores',
    cells: ['weights', 'products', 'rows'],
    uniforms: ['firstTile'],
    options: ['SHARED'],
    pieces: [
      TILES,
      `
vec4 slope(vec4 weight, vec4 product, vec4 origin, vec4 mean, ivec4 i, int j) {
  bvec4 none = equal(weight, vec4(0));
#if SHARED
  // the score of a token with itself is a constant
  weight = mix(weight, vec4(0), equal(i, ivec4(j)));
  none = equal(weight, vec4(0));
#endif
  return mix(weight * ((product - origin) - mean), vec4(0), none);
}`,
    ],
    main: `${CELL_OF_TILE}
  ivec2 row = cell(firstTile + at.x, 0, rowsGrid);
  ivec2 from = cell(at.x, at.y, weightsGrid);
  vec4 origin = four(rows, row, 0);
  vec4 mean = four(rows, row, 1);
  ivec4 i = tile.query + ivec4(0, 1, 2, 3);
  int j = tile.base + at.y * TARGETS;`,
    results: Array.from(
      {length: targets},
      (_, t) =>
        `slope(four(weights, from, ${t}), four(products, from, ${t}), origin, mean, i, j + ${t})`,
    ),
  });
}
