/** CO2 in the air at Mauna Loa, in ppm: the monthly means of vega-datasets. */
import {readFileSync} from 'node:fs';
import path from 'node:path';

const DATA = '../node_modules/vega-datasets/data/co2-concentration.csv';

export interface Month {
  date: string;
  ppm: number;
}

/** From 1965 on: there are gaps before. */
export function readSeries(): Month[] {
  const lines = readFileSync(path.join(__dirname, DATA), 'utf8').trim().split('\n').slice(1);
  const rows = lines.map((line) => line.split(',')).map(([date, ppm]) => ({date, ppm: +ppm}));
  return rows.filter(({date}) => date >= '1965');
}
