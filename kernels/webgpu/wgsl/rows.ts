/** Rows of tensors as four channels at a time, and the rotation of queries and keys. */
import {each, list} from './text';

/** How the rows of a problem lie: `aligned` ones are read as vec4, others number by number. */
export type Layout = 'aligned' | 'scattered';

/** The type of a buffer's elements. */
export function elementOf(layout: Layout): string {
  return layout === 'aligned' ? 'vec4<f32>' : 'f32';
}

/** Functions that read the queries (scaled), keys and values of a call; with rotary also turned ones. */
export function readers({layout, rotary}: {layout: Layout; rotary: boolean}): string {
  const plain = [
    reader('query', 'q', 'u.headDim', layout, ' * u.scale'),
    reader('key', 'k', 'u.headDim', layout),
    reader('value', 'v', 'u.valueDim', layout),
  ];
  const turned = [turning('turnedQuery', 'query', layout), turning('turnedKey', 'key', layout)];
  return [...plain, ...(rotary ? turned : [])].join('');
}

/** A function `name`(row, c): channels 4c … 4c + 3 of a row of `buffer`, zeros beyond `width`. */
export function reader(
  name: string,
  buffer: string,
  width: string,
  layout: Layout,
  factor = '',
): string {
  if (layout === 'aligned') {
    return `
fn ${name}(row: u32, c: u32) -> vec4<f32> { return ${buffer}[row * (${width} / 4u) + c]${factor}; }`;
  }
  return `
fn ${name}Channel(row: u32, c: u32) -> f32 {
  return select(0.0, ${buffer}[row * ${width} + min(c, ${width} - 1u)]${factor}, c < ${width});
}
fn ${name}(row: u32, c: u32) -> vec4<f32> {
  return vec4<f32>(${list(4, (i) => `${name}Channel(row, 4u * c + ${i}u)`)});
}`;
}

/**
 * `name`(row, c, table): what `plain` reads, rotated by the row of angles that begins at number
 * `table`, cosines in its first half and sines in its second. Element i of the angles is angleAt(i).
 */
function turning(name: string, plain: string, layout: Layout): string {
  const aligned = layout === 'aligned';
  const [one, type, read, unit] = aligned
    ? [name, 'vec4<f32>', plain, 4]
    : [`${name}Channel`, 'f32', `${plain}Channel`, 1];
  const turned = `
fn ${one}(row: u32, c: u32, table: u32) -> ${type} {
  let half = u.headDim / ${2 * unit}u;
  let upper = c >= half;
  let m = select(c, c - half, upper);
  let other = ${read}(row, select(c + half, m, upper));
  let cosines = angleAt(table / ${unit}u + m);
  let sines = angleAt(table / ${unit}u + half + m);
  let turned = ${read}(row, c) * cosines + select(-other, other, upper) * sines;
  return select(${type}(0.0), turned, c < 2u * half); // none beyond the last channel
}`;
  if (aligned) return turned;
  return `${turned}
fn ${name}(row: u32, c: u32, table: u32) -> vec4<f32> {
  return vec4<f32>(${list(4, (i) => `${name}Channel(row, 4u * c + ${i}u, table)`)});
}`;
}

/** A function `name`(row, c, x) that writes channels 4c … 4c + 3, none beyond `width`. */
export function writer(name: string, buffer: string, width: string, layout: Layout): string {
  const body =
    layout === 'aligned'
      ? `  if (4u * c < ${width}) { ${buffer}[row * (${width} / 4u) + c] = x; }`
      : each(
          4,
          (i) =>
            `  if (4u * c + ${i}u < ${width}) { ${buffer}[row * ${width} + 4u * c + ${i}u] = x[${i}]; }`,
        );
  return `
fn ${name}(row: u32, c: u32, x: vec4<f32>) {
${body}
}`;
}
