/** The uniforms of a dispatch: what TF.js puts before ours, the facts of the call, and its part of the work. */
import {FACTS, FRACTIONS} from '../../../src/attention/facts';
import {Layout, elementOf} from './rows';
import {each} from './text';

/** Of the elements of what holds no rows of channels. */
const TYPES: Record<string, string> = {
  mask: 'i32',
  stats: 'f32',
  bias: 'f32',
  tables: 'f32',
  dbias: 'f32',
  info: 'vec4<f32>',
  balance: 'vec2<u32>',
};

/** Fields of ours after the facts. */
export const OWN = [
  'masked',
  'biased',
  'keyAngles',
  'biasesAt',
  'anglesAt',
  'start',
  'stop',
] as const;

/** The tensors of a dispatch, by name, of which some are written. */
export function buffers(
  names: readonly string[],
  written: readonly string[],
  layout: Layout,
): string {
  const element = (name: string) => TYPES[name] ?? elementOf(layout);
  const access = (name: string) => (written.includes(name) ? 'read_write' : 'read');
  return each(
    names.length,
    (i) =>
      `@group(0) @binding(${i}) var<storage, ${access(names[i])}> ${names[i]}: array<${element(names[i])}>;`,
  );
}

/** The arguments of main; numberOf(group, groups) is the number of the workgroup among those of the call. */
export const WORKGROUP = `
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
`;

/** Where main begins: the block of OWN rows of a head that a workgroup owns, and a thread's place. */
export const BLOCK = `
  let id = numberOf(group, groups);
  if (id >= u.stop) { return; }
  let blocks = (u.length + OWN - 1u) / OWN;
  let head = id / blocks;
  let rowOfHead = head * u.length;
  let begin = id % blocks * OWN;
  let last = min(begin + OWN, u.length) - 1u;
  let lane = thread % LANES;
  let line = thread / LANES;`;

/** `u`, at the binding after `tensors` buffers; of each TF.js tells the shape and the stride. */
export function callStruct(tensors: number): string {
  const shapes = Array.from({length: tensors}, (_, i) => `  shape${i}: i32, stride${i}: i32,`);
  const facts = FACTS.map((name) => `  ${name}: ${FRACTIONS.includes(name) ? 'f32' : 'u32'},`);
  return `
struct Call {
  nan: f32, infinity: f32,
${shapes.join('\n')}
${facts.join('\n')}
  masked: u32,
  biased: u32,
  keyAngles: u32, // the number of the angles at which those of the keys begin
  biasesAt: u32, // numbers of info, for the gradient: where the biases begin, and the angles
  anglesAt: u32,
  start: u32, // the workgroups start … stop − 1 of all
  stop: u32,
}
@group(0) @binding(${tensors}) var<uniform> u: Call;

// TF.js spreads many workgroups over three axes
fn numberOf(group: vec3<u32>, groups: vec3<u32>) -> u32 {
  return u.start + group.x + groups.x * (group.y + groups.y * group.z);
}`;
}
