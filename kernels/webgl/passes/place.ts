/**
 * Rows of tensors as the other passes read them: four channels in a texel, T texels in as many layers;
 * queries scaled, queries and keys rotated, keys normalised if they are shared, and zeros for what does
 * not exist or is masked.
 *
 * Channels that are rotated together lie in two texels, one after the other: the order of channels is
 * nobody's business but that of q, k and their gradients.
 */
import {ANGLES, TILES} from '../pieces';
import {Pass, pass} from '../program';
import {reader} from '../tensors';

/** The texels of a row, from `T · column` on, in x0 …; `factor` goes before the rotation. */
function texels(targets: number): string {
  const each = (count: number, text: (t: number) => string) =>
    Array.from({length: count}, (_, t) => text(t)).join('\n');
  const plain = `
    int c = 4 * TARGETS * at.y;
    ivec2 from = xPlace(xIndex(head, token, c));
${each(targets, (t) => `    x${t} = factor * xFour(from, token, c + ${4 * t}, end);`)}`;
  const pairs = Math.max(1, targets / 2);
  const names = (u: number) =>
    targets === 1 ? ['first', 'second'] : [`x${2 * u}`, `x${2 * u + 1}`];
  const rotated = `
    int m = at.y * TARGETS / 2;
    ivec2 lower = xPlace(xIndex(head, token, 4 * m));
    ivec2 upper = xPlace(xIndex(head, token, end / 2 + 4 * m));
    ivec2 turn = anglesPlace(angle, m);
    vec4 first, second, cosine, sine;
${each(
  pairs,
  (u) => `
    first = factor * xFour(lower, token, 4 * (m + ${u}), end / 2);
    second = factor * xFour(upper, token, end / 2 + 4 * (m + ${u}), end);
    cosine = anglesNext(turn);
    sine = anglesNext(turn);
    ${names(u)[0]}${targets === 1 ? '_' : ''} = first * cosine - second * sine;
    ${names(u)[1]}${targets === 1 ? '_' : ''} = second * cosine + first * sine;`,
)}`;
  const single = `
    vec4 first_, second_;${rotated}
    x0 = (at.y & 1) == 0 ? first_ : second_;`;
  return `
#if ROTARY == 0${plain}
#else${targets === 1 ? single : rotated}
#endif`;
}

const declared = (targets: number) =>
  Array.from({length: targets}, (_, t) => `vec4 x${t} = vec4(0);`).join(' ');
const results = (targets: number) => Array.from({length: targets}, (_, t) => `x${t}`);

/** q, or (`plain`) what is upstream of the output, by rows of tiles. */
export function placeQueries(targets: number, plain: boolean): Pass {
  return pass({
    name: plain ? 'place upstream gradients' : 'place queries',
    tensors: ['x'],
    tables: plain ? [] : ['angles'],
    options: plain ? [] : ['ROTARY', 'ODD_HALF'],
    pieces: [reader('x'), TILES, ...(plain ? [] : [ANGLES])],
    main: `
  ivec2 at = here();
  int strip = at.x / (4 * tiles);
  int head = strip / groups;
  int group = strip - head * groups;
  int token = group * groupLength + at.x - strip * 4 * tiles;
  int angle = token - originOf(group);
  int end = ${plain ? 'valueDim' : 'headDim'};
  float factor = ${plain ? '1.0' : 'scale'};
  ${declared(targets)}
  if (token < min(tokens, (group + 1) * groupLength)) {${texels(targets)}
  }`,
    results: results(targets),
  });
}

/** k, or (`plain`) v. */
export function placeKeys(targets: number, plain: boolean): Pass {
  return pass({
    name: plain ? 'place values' : 'place keys',
    cells: ['exists', 'norms'],
    tensors: ['x'],
    tables: plain ? [] : ['angles'],
    options: plain ? ['MASKED'] : ['ROTARY', 'ODD_HALF', 'SHARED', 'MASKED'],
    pieces: [reader('x'), TILES, ...(plain ? [] : [ANGLES])],
    main: `
  ivec2 at = here();
  int strip = at.x / keyRows;
  int head = strip / groups;
  int origin = originOf(strip - head * groups);
  int angle = at.x - strip * keyRows;
  int token = origin + angle;
  int end = ${plain ? 'valueDim' : 'headDim'};
  float factor = 1.0;
#if SHARED
  factor = four(norms, cell(at.x, 0, normsGrid), 0).x;
#endif
  bool exist = token < tokens;
#if MASKED
  exist = four(exists, cell(at.x, 0, existsGrid), 0).x != 0.0;
#endif
  ${declared(targets)}
  if (exist) {${texels(targets)}
  }`,
    results: results(targets),
  });
}

const TOKEN = `
  int row = here().x;
  int strip = row / keyRows;
  int head = strip / groups;
  int token = originOf(strip - head * groups) + row - strip * keyRows;`;

/** Whether a key exists: that it is no padding, and not masked. */
export const exists = pass({
  name: 'which keys exist',
  tensors: ['x'],
  pieces: [reader('x'), TILES],
  main: `${TOKEN}
  float found = token < tokens ? xAt(0, head / (heads / maskRows), token) : 0.0;`,
  results: ['vec4(found)'],
});

/** 1 / max(‖k‖, 1e-12) of each key. */
export const norms = pass({
  name: 'norms',
  tensors: ['x'],
  pieces: [reader('x'), TILES],
  main: `${TOKEN}
  float square = 0.0;
  if (token < tokens) {
    ivec2 from = xPlace(xIndex(head, token, 0));
    for (int c = 0; c < headDim; c += 4) {
      vec4 found = xFour(from, token, c, headDim);
      square += dot(found, found);
    }
  }`,
  results: ['vec4(1.0 / sqrt(max(square, 1e-24)))'],
});
