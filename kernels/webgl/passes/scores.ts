/**
 * Scores of a tile with a block of keys, T in as many layers: s = q · k + bias, HIDDEN where the key is
 * not visible. The gradient comes here too, and gets the same bits.
 */
import {CELL_OF_TILE, DROPOUT, TILES} from '../pieces';
import {Pass, pass} from '../program';
import {reader} from '../tensors';

const VISIBLE = `
#if BIASED
float biased(float score, Tile tile, int i, int j) {
  int slot = j - (i / windowSize - lookBackward) * windowSize;
  float level = biasAt(tile.head % biasHeads, i % windowSize, slot);
  return floatBitsToUint(level) == 0xff800000u ? HIDDEN : score + level; // −∞ hides
}
#endif

vec4 visible(vec4 score, Tile tile, ivec4 i, ivec4 first, ivec4 end, int j, bool exists) {
  bvec4 after = greaterThanEqual(ivec4(j), first);
  bvec4 before = lessThan(ivec4(exists ? j : tokens), end);
#if BIASED
  if (after.x && before.x) score.x = biased(score.x, tile, i.x, j);
  if (after.y && before.y) score.y = biased(score.y, tile, i.y, j);
  if (after.z && before.z) score.z = biased(score.z, tile, i.z, j);
  if (after.w && before.w) score.w = biased(score.w, tile, i.w, j);
#endif
#if SHARED
  score = mix(score, vec4(-5e4), equal(i, ivec4(j)));
#endif
  return mix(vec4(HIDDEN), mix(vec4(HIDDEN), score, before), after);
}
`;

/** Products of the rows of four queries with those of T keys, in s0 … */
function products(targets: number): string {
  const keys = Array.from({length: targets}, (_, t) => t);
  return `${CELL_OF_TILE}
  ivec2 q = cell((firstTile + at.x) * 4, 0, queriesGrid);
  ivec2 k = cell(tile.row + at.y * TARGETS, 0, keysGrid);
  ${keys.map((t) => `vec4 s${t} = vec4(0);`).join(' ')}
  for (int c = 0; c < quads; c++) {
    int layer = c & (TARGETS - 1);
    vec4 q0 = four(queries, q, layer);
    vec4 q1 = four(queries, q + ivec2(0, 1), layer);
    vec4 q2 = four(queries, q + ivec2(0, 2), layer);
    vec4 q3 = four(queries, q + ivec2(0, 3), layer);
    vec4 key;
${keys.map((t) => `    key = four(keys, k + ivec2(0, ${t}), layer);\n    s${t} += vec4(dot(q0, key), dot(q1, key), dot(q2, key), dot(q3, key));`).join('\n')}
    int next = int(layer == TARGETS - 1);
    q.x += next;
    k.x += next;
  }
  int j = tile.base + at.y * TARGETS;`;
}

const layers = (targets: number, text: (t: number) => string) =>
  Array.from({length: targets}, (_, t) => text(t));

export function scores(targets: number): Pass {
  return pass({
    name: 'scores',
    cells: ['queries', 'keys', 'exists'],
    tensors: ['bias'],
    uniforms: ['firstTile', 'quads'],
    options: ['BIASED', 'MASKED', 'SHARED'],
    pieces: [reader('bias'), TILES, VISIBLE],
    main: `${products(targets)}
  ivec4 i = tile.query + ivec4(0, 1, 2, 3);
  ivec4 first = ivec4(firstKey(i.x), firstKey(i.y), firstKey(i.z), firstKey(i.w));
  ivec4 end = ivec4(endKey(i.x), endKey(i.y), endKey(i.z), endKey(i.w));
  end *= ivec4(lessThan(i, ivec4(tile.end)));
#if MASKED
  ivec2 key = cell(tile.row + at.y * TARGETS, 0, existsGrid);
#define EXISTS(t) (four(exists, key + ivec2(0, t), 0).x != 0.0)
#else
#define EXISTS(t) true
#endif`,
    results: layers(targets, (t) => `visible(s${t}, tile, i, first, end, j + ${t}, EXISTS(${t}))`),
  });
}

/** What weights are worth: dP = (dO · v) ∘ keep. What is hidden is anything. */
export function weightGradient(targets: number): Pass {
  return pass({
    name: 'gradient of weights',
    cells: ['queries', 'keys'],
    uniforms: ['firstTile', 'quads'],
    options: ['DROPPED'],
    pieces: [TILES, DROPOUT],
    main: products(targets),
    results: layers(targets, (t) => `s${t} * KEPT(tile, j + ${t})`),
  });
}
