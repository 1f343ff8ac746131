/** Bits per character by step: of the training text, of held-out text, and the bigram's. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const HEIGHT = 300;
/** Between two drawings; the chart is not what the page is for. */
const DRAW_MS = 200;
/** Points of a line; beyond them every second goes. */
const MOST = 1500;

type Line = 'training' | 'heldOut';

export class Chart {
  private readonly lines: Record<Line, Map<number, number>> = {
    training: new Map(),
    heldOut: new Map(),
  };
  private bigram: number | null = null;
  private plot: uPlot | null = null;
  private due = 0;

  constructor(private readonly place: HTMLElement) {
    new ResizeObserver(() => this.resize()).observe(place);
    addEventListener('theme', () => this.redraw());
    this.redraw();
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
      this.plot?.setData(this.data());
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
    if (width > 0) this.plot?.setSize({width, height: HEIGHT}); // 0 while the view is hidden
  }

  /** Anew: what is painted on a canvas does not follow the theme. */
  private redraw(): void {
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--quiet'),
      font: `13px ${colour('--sans')}`,
      grid: {stroke: colour('--line'), width: 1},
      ticks: {show: false},
    };
    const line = (label: string, stroke: string, more: Partial<uPlot.Series>) => ({
      ...{label, stroke, spanGaps: true, points: {show: false}},
      ...more,
    });
    this.plot = new uPlot(
      {
        width: this.place.clientWidth || 600,
        height: HEIGHT,
        legend: {show: false},
        cursor: {show: false},
        scales: {
          x: {time: false, range: (_, low, high) => [low ?? 0, Math.max(high ?? 0, 50)]},
          y: {range},
        },
        axes: [
          {...axis, label: 'steps', size: 26, labelSize: 20, labelFont: axis.font, labelGap: 0},
          {...axis, size: 36},
        ],
        series: [
          {},
          line('training', colour('--quiet'), {width: 1}),
          line('bigram', colour('--second'), {width: 2, dash: [6, 5]}),
          line('held-out', colour('--accent'), {
            width: 2.5,
            points: {show: true, size: 6, fill: colour('--accent')},
          }),
        ],
      },
      this.data(),
      this.place,
    );
  }
}

/** Whole bits around what there is. */
function range(_: uPlot, low: number | null, high: number | null): [number, number] {
  return [Math.floor((low ?? 1) - 0.1), Math.ceil((high ?? 5) + 0.1)];
}
