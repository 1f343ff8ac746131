/** The facts of a call as all shaders know them: one uniform block, declared and written from one list. */
import {factsOf} from '../../src/attention/facts';
import type {Problem} from '../../src/attention/problem';
import type {Layout} from './layout';
import type {Option} from './program';

/** In std140, where each of these begins at a multiple of 4 bytes. */
const FACTS = [
  ['heads', 'int'],
  ['tokens', 'int'],
  ['headDim', 'int'],
  ['valueDim', 'int'],
  ['windowSize', 'int'],
  ['context', 'int'],
  ['lookBackward', 'int'],
  ['lookForward', 'int'],
  ['causal', 'bool'],
  ['exactWindowsize', 'bool'],
  ['maskRows', 'int'],
  ['biasHeads', 'int'],
  ['groupLength', 'int'],
  ['groups', 'int'],
  ['tiles', 'int'],
  ['keyRows', 'int'],
  ['keyQuads', 'int'],
  ['valueQuads', 'int'],
  ['dropThreshold', 'uint'],
  ['seed', 'uint'],
  ['keptFactor', 'float'],
  ['scale', 'float'],
] as const;

type Fact = (typeof FACTS)[number][0];

const BLOCK_BYTES = 16 * Math.ceil(FACTS.length / 4);

export const FACTS_BLOCK = `
layout(std140) uniform Call {
${FACTS.map(([name, type]) => `  ${type} ${name};\n`).join('')}
};
`;

/** The bytes of the block. */
export function blockOf(p: Problem, layout: Layout): ArrayBuffer {
  const buffer = new ArrayBuffer(BLOCK_BYTES);
  const ints = new Int32Array(buffer);
  const floats = new Float32Array(buffer);
  const values: Record<Fact, number> = {
    ...factsOf(p),
    ...layout,
    heads: p.batch * p.heads,
    tokens: p.length,
    context: p.context,
  };
  FACTS.forEach(([name, type], at) => {
    if (type === 'float') floats[at] = values[name];
    else ints[at] = values[name]; // the same bits for what has no sign
  });
  return buffer;
}

/** What shaders are made for: each option as 1 or 0. */
export function optionsOf(p: Problem): Record<Option, number> {
  return {
    ROTARY: +p.rotary,
    ODD_HALF: +(p.rotary && p.headDim % 4 === 2),
    SHARED: +p.sharedQk,
    MASKED: +(p.mask !== null),
    BIASED: +(p.bias !== null),
    DROPPED: +(p.dropout > 0),
  };
}
