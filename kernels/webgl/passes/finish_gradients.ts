/** Gradients as TF.js's tensors, rotated back: of the queries scaled, of shared keys through the norm. */
import {ANGLES, QUERIES, TILES} from '../pieces';
import {Option, pass} from '../program';
import {PACKED, reader, texelOf} from '../tensors';

/** Four channels 4m … of one half, or of an upper one; or two channels c and c + 1. */
const ROTATED_BACK = `
vec4 rotatedBack(vec4 lower, vec4 upper, int angle, int m, bool isUpper) {
  ivec2 turn = anglesPlace(angle, m);
  vec4 cosine = anglesNext(turn);
  vec4 sine = anglesNext(turn);
  return isUpper ? upper * cosine - lower * sine : lower * cosine + upper * sine;
}
`;

/**
 * `pairAt(head, token, c)` from `texelAt(head, token, quad)`, the channels 4 · quad …, or with rotary from
 * `halfAt(head, token, m, isUpper)`.
 */
const PAIRS = `
vec2 pairAt(int head, int token, int c) {
#if ROTARY
  int middle = headDim / 2;
  bool isUpper = c >= middle;
  int m = isUpper ? c - middle : c;
#if ODD_HALF
  bool nextIsUpper = c + 1 >= middle;
  int next = nextIsUpper ? c + 1 - middle : c + 1;
  return vec2(halfAt(head, token, m / 4, isUpper)[m & 3], halfAt(head, token, next / 4, nextIsUpper)[next & 3]);
#else
  return halfOf(halfAt(head, token, m / 4, isUpper), m);
#endif
#else
  return halfOf(texelAt(head, token, c / 4), c);
#endif
}
`;

const ROTATION: Option[] = ['ROTARY', 'ODD_HALF'];

export const queryGradient = pass({
  name: 'gradient of queries',
  cells: ['mixes'],
  tables: ['angles'],
  options: ROTATION,
  pieces: [
    TILES,
    QUERIES,
    PACKED,
    ANGLES,
    ROTATED_BACK,
    `
vec4 halfAt(int head, int i, int m, bool isUpper) {
  ivec4 place = placeOf(head, i);
  vec4 lower = mixedAt(mixes, mixesGrid, place.y, place.z, 2 * m);
  vec4 upper = mixedAt(mixes, mixesGrid, place.y, place.z, 2 * m + 1);
  return scale * rotatedBack(lower, upper, i - place.w, m, isUpper);
}

vec4 texelAt(int head, int i, int quad) {
  ivec4 place = placeOf(head, i);
  return scale * mixedAt(mixes, mixesGrid, place.y, place.z, quad);
}
`,
    PAIRS,
  ],
  main: texelOf('headDim'),
  results: null,
});

/** What is gathered for a key, over the groups that see it. */
const KEYS = `
int rowOf(int head, int group, int j) {
  return (head * groups + group) * keyRows + j - originOf(group);
}

bool isMasked(int head, int j) {
#if MASKED
  int row = rowOf(head, firstQuery(j) / groupLength, j);
  return four(exists, cell(row, 0, existsGrid), 0).x == 0.0;
#else
  return false;
#endif
}

vec4 gatheredAt(int row, int quad) {
  return four(sums, cell(row / TARGETS, quad, sumsGrid), row % TARGETS);
}

vec4 texelAt(int head, int j, int quad) {
  vec4 found = vec4(0);
  int last = (endQuery(j) - 1) / groupLength;
  for (int group = firstQuery(j) / groupLength; group <= last; group++) {
    found += gatheredAt(rowOf(head, group, j), quad);
  }
  return isMasked(head, j) ? vec4(0) : found;
}
`;

export const valueGradient = pass({
  name: 'gradient of values',
  cells: ['sums', 'exists'],
  options: ['MASKED'],
  pieces: [
    TILES,
    PACKED,
    KEYS,
    `
vec2 pairAt(int head, int j, int c) {
  return halfOf(texelAt(head, j, c / 4), c);
}
`,
  ],
  main: texelOf('valueDim'),
  results: null,
});

export const keyGradient = pass({
  name: 'gradient of keys',
  cells: ['sums', 'exists', 'norms', 'along'],
  tensors: ['x'],
  tables: ['angles'],
  options: [...ROTATION, 'MASKED', 'SHARED'],
  pieces: [
    reader('x'),
    TILES,
    PACKED,
    ANGLES,
    ROTATED_BACK,
    KEYS,
    `
vec4 halfAt(int head, int j, int m, bool isUpper) {
  vec4 found = vec4(0);
  int last = (endQuery(j) - 1) / groupLength;
  for (int group = firstQuery(j) / groupLength; group <= last; group++) {
    int row = rowOf(head, group, j);
    vec4 lower = gatheredAt(row, 2 * m);
    vec4 upper = gatheredAt(row, 2 * m + 1);
    found += rotatedBack(lower, upper, j - originOf(group), m, isUpper);
  }
  return isMasked(head, j) ? vec4(0) : found;
}
`,
    PAIRS,
    `
vec2 keyPairAt(int head, int j, int c) {
  vec2 found = pairAt(head, j, c);
#if SHARED
  float inverse = 0.0;
  float share = 0.0;
  int last = (endQuery(j) - 1) / groupLength;
  for (int group = firstQuery(j) / groupLength; group <= last; group++) {
    int row = rowOf(head, group, j);
    inverse = four(norms, cell(row, 0, normsGrid), 0).x;
    share += four(along, cell(row, 0, alongGrid), 0).x;
  }
  // below its least value the norm is a constant
  if (inverse >= 1e12 || isMasked(head, j)) share = 0.0;
  vec2 key = vec2(xAt(head, j, c), c + 1 < headDim ? xAt(head, j, c + 1) : 0.0);
  found = inverse * (found - (share == 0.0 ? vec2(0) : share * inverse * key));
#endif
  return found;
}
`,
  ],
  main: texelOf('headDim', 'keyPairAt'),
  results: null,
});

/** k̂ · dk̂ of each row of keys, as they are placed. */
export const alongKeys = pass({
  name: 'gradient along keys',
  cells: ['keys', 'sums'],
  main: `
  int row = here().x;
  float sum = 0.0;
  for (int quad = 0; quad < keyQuads; quad++) {
    vec4 key = four(keys, cell(row, quad / TARGETS, keysGrid), quad % TARGETS);
    sum += dot(key, four(sums, cell(row / TARGETS, quad, sumsGrid), row % TARGETS));
  }`,
  results: ['vec4(sum)'],
});
