/** The sums of the gradient over workgroup memory: products of rows, and rows times factors. */
import {PLACE_OF_MET, PLACE_OF_OWN, stage} from '../wgsl/stage';
import {each, list} from '../wgsl/text';
import type {Kind, Side, Sum} from './side';
import type {BackwardVariant} from './tile';

/** Stages the owned rows of one kind, into mine0 or mine1. */
export function stageOwn({own}: Side, kind: Kind): string {
  return stage({
    into: `mine${kind}`,
    count: 'OWN',
    first: 'begin',
    last: 'last',
    at: PLACE_OF_OWN,
    value: `finite(${own[kind]})`,
    columns: `columns${kind}`,
  });
}

/** Stages the rows of a tile, into theirs0 or theirs1. */
function stageMet({met}: Side, kind: Kind): string {
  return stage({
    into: `theirs${kind}`,
    count: 'MET',
    first: 'base',
    last: 'u.length - 1u',
    at: PLACE_OF_MET,
    value: `finite(${met[kind]})`,
    columns: `columns${kind}`,
  });
}

/** s0 … += q · k and dp0 … += dout · v, of a thread's rows and the four that it meets. */
export function productsOfTile(side: Side, {tile, whole}: BackwardVariant): string {
  const products = `
    workgroupBarrier();
${productsOf(0, 's', tile.rows)}
${productsOf(1, 'dp', tile.rows)}`;
  const met = `    ${stageMet(side, 0)}
    ${stageMet(side, 1)}`;
  if (whole) return `    workgroupBarrier();\n${met}${products}`;
  return `    for (var column = 0u; column < max(columns0, columns1); column += COLUMNS) {
    workgroupBarrier();
    ${stageOwn(side, 0)}
    ${stageOwn(side, 1)}
${met}${products}
    }`;
}

function productsOf(kind: Kind, sum: string, rows: number): string {
  return `    for (var c = 0u; c < min(COLUMNS, columns${kind} - min(column, columns${kind})); c++) {
${each(4, (j) => `      let m${j} = theirs${kind}[c * PITCH + ${j}u * LANES + lane];`)}
${each(
  rows,
  (i) => `      let o${i} = mine${kind}[c * OWN + line + ${i}u * LINES];
      ${sum}${i} += vec4<f32>(${list(4, (j) => `dot(o${i}, m${j})`)});`,
)}
    }`;
}

/** Adds factors · rows met to the gradients; what is not held whole is staged again, part by part. */
export function addTile(side: Side, {tile, columns, whole}: BackwardVariant): string {
  const held = columns / (tile.met / 4); // columns of a thread
  return side.sums
    .flatMap((sum) =>
      Array.from({length: Math.ceil(sum.count / held)}, (_, part) => {
        const first = part * held;
        const added = add(sum, first, Math.min(sum.count, first + held), tile.rows);
        if (whole) return added;
        return `    workgroupBarrier();
    { let column = ${part}u * COLUMNS;
    ${stageMet(side, sum.kind)} }
    workgroupBarrier();
${added}`;
      }),
    )
    .join('\n');
}

function add({name, factors, kind}: Sum, from: number, to: number, rows: number): string {
  return `    for (var four = 0u; four < LANES; four++) {
${each(rows, (i) => `      let f${i} = ${factors}[four * OWN + line + ${i}u * LINES];`)}
${each(
  to - from,
  (n) => `      {
${each(4, (j) => `        let m${j} = theirs${kind}[(lane + ${n}u * LANES) * PITCH + ${j}u * LANES + four];`)}
${each(rows, (i) => `        ${name}${i}_${from + n} += f${i}.x * m0 + f${i}.y * m1 + f${i}.z * m2 + f${i}.w * m3;`)}
      }`,
)}
    }`;
}
