import type {TopLevelSpec} from 'vega-lite';

/** A point of a line. */
export interface Point {
  candidate: string;
  x: number;
  y: number;
}

export interface Chart {
  title: string;
  x: string;
  y: string;
  points: readonly Point[];
}

/** Lines over powers of two, one for each candidate, on logarithmic axes: an SVG picture. */
export async function lineChart({title, x, y, points}: Chart): Promise<string> {
  const spec: TopLevelSpec = {
    title,
    width: 480,
    height: 300,
    background: 'white', // also on a dark page
    data: {values: points as Point[]},
    mark: {type: 'line', point: true},
    encoding: {
      x: {field: 'x', type: 'quantitative', title: x, scale: {type: 'log', base: 2}},
      y: {field: 'y', type: 'quantitative', title: y, scale: {type: 'log'}},
      // in the order in which they were measured, fused first
      color: {field: 'candidate', type: 'nominal', title: null, sort: null},
    },
  };
  // only Node itself can load them where this file is CommonJS: they await at their top level
  const [vega, {compile}] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(compile(spec).spec), {renderer: 'none'});
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
