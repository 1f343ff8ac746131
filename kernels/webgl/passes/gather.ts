/**
 * Rows of queries, added up for each key by a number for each query: dv = Pᵀ dO, dk = dSᵀ q. T keys a
 * cell, over the tiles of their group that see one of them, in order.
 *
 * A query gives 0 to a key that it does not see, and 0 times what is not finite is NaN. So rows are
 * multiplied with zeros for what is not finite, and that is added where the number is not 0.
 */
import {TILES} from '../pieces';
import {Pass, pass} from '../program';

export function gathered(targets: number): Pass {
  const keys = Array.from({length: targets}, (_, t) => t);
  return pass({
    name: 'gathered',
    cells: ['weights', 'rows', 'before'],
    uniforms: ['firstTile', 'endTile'],
    pieces: [
      TILES,
      `
bvec4 notFinite(vec4 row) {
  return equal(floatBitsToUint(row) & uvec4(0x7f800000u), uvec4(0x7f800000u));
}
`,
    ],
    main: `
  ivec2 place = here();
  int strip = place.x * TARGETS / keyRows;
  int group = strip % groups;
  int origin = originOf(group);
  int j = origin + place.x * TARGETS - strip * keyRows;
  int start = group * groupLength;
  int first = max(firstQuery(j), start) - start;
  int end = min(endQuery(min(j + TARGETS, tokens) - 1), min(tokens, start + groupLength)) - start;
  first = max(firstTile, strip * tiles + first / 4);
  end = j < tokens ? min(endTile, strip * tiles + (end + 3) / 4) : first;
  int layer = place.y & (TARGETS - 1);
  ${keys.map((t) => `vec4 sum${t} = vec4(0);`).join(' ')}
  if (firstTile > 0) {
    ivec2 at = cell(place.x, place.y, beforeGrid);
    ${keys.map((t) => `sum${t} = four(before, at, ${t});`).join(' ')}
  }
  for (int index = first; index < end; index++) {
    int base = origin + ((firstKey(start + 4 * (index - strip * tiles)) - origin) & ~(TARGETS - 1));
    ivec2 at = cell(index - firstTile, (j - base) / TARGETS, weightsGrid);
    ivec2 from = cell(4 * index, place.y / TARGETS, rowsGrid);
${[0, 1, 2, 3]
  .map(
    (q) => `
    vec4 row${q} = four(rows, from + ivec2(0, ${q}), layer);
    bvec4 odd${q} = notFinite(row${q});
    row${q} = mix(row${q}, vec4(0), odd${q});`,
  )
  .join('')}
    vec4 weight;
${keys
  .map(
    (t) => `
    weight = four(weights, at, ${t});
    sum${t} += weight.x * row0 + weight.y * row1 + weight.z * row2 + weight.w * row3;`,
  )
  .join('')}
    bool odd = any(odd0) || any(odd1) || any(odd2) || any(odd3);
    for (int query = 0; query < (odd ? 4 : 0); query++) {
      vec4 row = four(rows, from + ivec2(0, query), layer);
      row = mix(vec4(0), row, notFinite(row));
      float share;
${keys
  .map(
    (t) => `
      share = four(weights, at, ${t})[query];
      sum${t} += share == 0.0 ? vec4(0) : share * row;`,
  )
  .join('')}
    }
  }`,
    results: keys.map((t) => `sum${t}`),
  });
}
