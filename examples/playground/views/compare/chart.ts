/** Fused beside composed against length, both axes by powers: a line that grows as it is measured. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import {By, Point} from '../../engine/compare_case';
import {LENGTHS, Lines} from './plan';

export interface Chart {
  draw(lines: Lines, range: Range): void;
  remove(): void;
}

export type Range = readonly [number, number];

const HEIGHT = 220;

/** @param value of a point; @param label of one, such as `12 ms` */
export function makeChart(
  place: HTMLElement,
  longest: number,
  value: (point: Point) => number,
  label: (value: number) => string,
): Chart {
  const lengths = LENGTHS.filter((n) => n <= longest);
  let range: Range = [1, 10];
  let latest: Lines | null = null;
  let plot: uPlot | null = null;

  const dataOf = (lines: Lines | null): uPlot.AlignedData => {
    const of = (by: By) =>
      lengths.map((n) => {
        const point = lines?.[by].points.get(n);
        return point ? value(point) : null;
      });
    return [lengths, of('fused'), of('composite')];
  };

  const build = () => {
    plot?.destroy();
    const style = getComputedStyle(place);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--quiet'),
      font: `12px ${colour('--sans')}`,
      grid: {stroke: colour('--line'), width: 1},
      ticks: {show: false},
    };
    const line = (name: string, stroke: string, dash?: number[]) => ({
      ...{label: name, stroke, dash, width: 2, spanGaps: true},
      points: {show: true, size: 7, fill: colour('--raised'), stroke, width: 2},
    });
    plot = new uPlot(
      {
        width: Math.max(200, place.clientWidth),
        height: HEIGHT,
        legend: {show: false},
        cursor: {show: false},
        padding: [12, 12, 0, 0],
        scales: {
          x: {time: false, distr: 3, log: 2, range: () => [lengths[0] / 1.2, longest * 1.2]},
          y: {distr: 3, log: 10, range: () => [...range] as [number, number]},
        },
        axes: [
          {
            ...axis,
            splits: () => every(lengths),
            filter: all,
            values: (_, at) => at.map(shortLength),
            size: 28,
          },
          {
            ...axis,
            splits: () => powersIn(range),
            filter: all,
            values: (_, at) => at.map(label),
            size: 64,
          },
        ],
        series: [
          {},
          line('fused', colour('--accent')),
          line('composed', colour('--second'), [6, 4]),
        ],
      },
      dataOf(latest),
      place,
    );
  };

  build();
  const resized = new ResizeObserver(() => {
    if (place.clientWidth > 0) plot?.setSize({width: place.clientWidth, height: HEIGHT});
  });
  resized.observe(place);
  addEventListener('theme', build);
  return {
    draw(lines, of) {
      latest = lines;
      range = of;
      plot?.setData(dataOf(lines));
    },
    remove() {
      resized.disconnect();
      removeEventListener('theme', build);
      plot?.destroy();
    },
  };
}

/** Powers of ten around all values. */
export function rangeOf(values: readonly number[]): Range {
  const real = values.filter((value) => value > 0);
  if (real.length === 0) return [1, 10];
  const low = 10 ** Math.floor(Math.log10(Math.min(...real)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...real)));
  return [low, high > low ? high : low * 10];
}

/** Every second length, from the last on, where all would be narrow. */
function every(lengths: readonly number[]): number[] {
  const step = lengths.length > 5 ? 2 : 1;
  return lengths.filter((_, at) => (lengths.length - 1 - at) % step === 0);
}

function shortLength(n: number): string {
  return n >= 1024 ? `${n / 1024}k` : `${n}`;
}

/** Powers of ten alone: between them a logarithmic axis has too many lines to be calm. */
function powersIn([low, high]: Range): number[] {
  const from = Math.round(Math.log10(low));
  return Array.from(
    {length: Math.round(Math.log10(high)) - from + 1},
    (_, at) => 10 ** (from + at),
  );
}

/** uPlot would drop the labels of some. */
function all(_: uPlot, splits: number[]): number[] {
  return splits;
}
