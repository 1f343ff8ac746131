/**
 * Rows of keys, mixed for each query by a number for each key: out = P v, dq = dS k.
 *
 * Where a query does not see a key, 0 times what that holds is NaN if it is no finite number, so at the
 * edges of the band, and where a bias may hide anything, products with 0 are left out.
 */
import {TILES} from '../pieces';
import {Pass, pass} from '../program';

const PRODUCTS = `
vec4 product(float weight, vec4 row) {
  return weight == 0.0 ? vec4(0) : weight * row;
}
`;

export function mixed(targets: number): Pass {
  const queries = Math.min(4, targets);
  const quads = targets / queries;
  const all = Array.from({length: targets}, (_, at) => ({
    name: `sum${at}`,
    query: at % queries,
    quad: Math.floor(at / queries),
  }));
  const add = (times: (weight: string, row: string) => string) =>
    all
      .map(
        ({name, query, quad}) =>
          `        ${name} += ${times(weightOf(queries, query), `row${quad}`)};`,
      )
      .join('\n');
  const loop = (times: (weight: string, row: string) => string) => `
      for (int t = 0; t < TARGETS; t++) {
        vec4 weight = four(weights, at + ivec2(column, 0), t);
${Array.from({length: quads}, (_, quad) => `        vec4 row${quad} = four(rows, row + ivec2(0, t), layer + ${quad});`).join('\n')}
${add(times)}
      }`;
  return pass({
    name: 'mixed',
    cells: ['weights', 'rows'],
    uniforms: ['firstTile'],
    options: ['BIASED'],
    pieces: [TILES, PRODUCTS],
    main: `
  ivec2 place = here();
  Tile tile = tileAt(place.x);
  ivec2 at = cell(place.x - firstTile, 0, weightsGrid);
  int quad = place.y / ${4 / queries} * ${quads};
  int layer = quad % TARGETS;
  int part = place.y % ${4 / queries};
  ${all.map(({name}) => `vec4 ${name} = vec4(0);`).join(' ')}
  for (int column = 0; column < tile.columns; column++) {
    ivec2 row = cell(tile.row + column * TARGETS, quad / TARGETS, rowsGrid);
    bool careful = BIASED == 1 || !within(tile.query, tile.base + column * TARGETS);
    if (!careful) {${loop((weight, row) => `${weight} * ${row}`)}
    } else {${loop((weight, row) => `product(${weight}, ${row})`)}
    }
  }`,
    results: all.map(({name}) => name),
  });
}

function weightOf(queries: number, query: number): string {
  if (queries === 4) return `weight.${'xyzw'[query]}`;
  return queries === 2 ? `weight[2 * part + ${query}]` : 'weight[part]';
}
