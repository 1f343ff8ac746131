/** Bits per character by step: of the training text, of held-out text, and the bigram's. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const HEIGHT = 300;
/** Between two drawings; the chart is not what the page is for. */
const DRAW_MS = 200;
/** Points of a line; beyond them every second goes. */
const MOST = 1500;

type Line = 'training' | 'heldOut';

/** Of the tokens of style.css. */
const NAMES = ['quiet', 'line', 'accent', 'second'] as const;
type Colour = (typeof NAMES)[number];

export class Chart {
  private readonly lines: Record<Line, Map<number, number>> = {
    training: new Map(),
    heldOut: new Map(),
  };
  private bigram: number | null = null;
  private readonly colours = {} as Record<Colour, string>;
  private readonly plot: uPlot;
  private due = 0;

  constructor(private readonly place: HTMLElement) {
    this.readColours();
    this.plot = this.drawn();
    addEventListener('theme', () => {
      this.readColours();
      this.plot.redraw();
    });
    new ResizeObserver(() => this.resize()).observe(place);
  }

  begin(bigram: number): void {
    this.bigram = bigram;
    this.draw();
  }

  clear(): void {
    for (const line of Object.values(this.lines)) line.clear();
    this.bigram = null;
    this.draw();
  }

  add(line: Line, step: number, bits: number): void {
    const points = this.lines[line];
    points.set(step, bits);
    if (points.size > MOST) [...points.keys()].forEach((at, i) => i % 2 && points.delete(at));
    this.draw();
  }

  /** Not at once: points come faster than one can see. */
  private draw(): void {
    this.due ||= window.setTimeout(() => {
      this.due = 0;
      if (this.place.clientWidth > 0) this.plot.setData(this.data()); // 0 while the view is hidden
    }, DRAW_MS);
  }

  private data(): uPlot.AlignedData {
    const {training, heldOut} = this.lines;
    const steps = [...new Set([...training.keys(), ...heldOut.keys()])].sort((a, b) => a - b);
    const at = (line: Map<number, number>) => steps.map((step) => line.get(step) ?? null);
    return [steps, at(training), steps.map(() => this.bigram), at(heldOut)];
  }

  private resize(): void {
    const width = this.place.clientWidth;
    if (width === 0) return;
    this.plot.setData(this.data(), false);
    this.plot.setSize({width, height: HEIGHT});
  }

  /** What is painted on a canvas does not follow the theme: it asks for its colours whenever it draws. */
  private readColours(): void {
    const style = getComputedStyle(document.documentElement);
    for (const name of NAMES) this.colours[name] = style.getPropertyValue(`--${name}`).trim();
  }

  private drawn(): uPlot {
    const by = (name: Colour) => () => this.colours[name];
    const font = `13px ${getComputedStyle(this.place).fontFamily}`;
    const axis = {
      ...{stroke: by('quiet'), font, labelFont: font, ticks: {show: false}},
      grid: {stroke: by('line'), width: 1},
    };
    const line = (colour: Colour, more: Partial<uPlot.Series>) => ({
      ...{stroke: by(colour), spanGaps: true, points: {show: false}},
      ...more,
    });
    const points = {show: true, size: 6, fill: by('accent')};
    return new uPlot(
      {
        width: this.place.clientWidth || 600,
        height: HEIGHT,
        legend: {show: false},
        cursor: {show: false},
        scales: {x: {time: false, range: steps}, y: {range: bits}},
        axes: [
          {...axis, label: 'steps', size: 26, labelSize: 20, labelGap: 0},
          {...axis, size: 36},
        ],
        series: [
          {},
          line('quiet', {width: 1}),
          line('second', {width: 2, dash: [6, 5]}),
          line('accent', {width: 2.5, points}),
        ],
      },
      this.data(),
      this.place,
    );
  }
}

function steps(_: uPlot, low: number | null, high: number | null): [number, number] {
  return [low ?? 0, Math.max(high ?? 0, 50)];
}

/** Whole bits around what there is. */
function bits(_: uPlot, low: number | null, high: number | null): [number, number] {
  return [Math.floor((low ?? 1) - 0.1), Math.ceil((high ?? 5) + 0.1)];
}
