/** Calls for characters at a speed: so many as are due, one call at a time. */
export interface Pace {
  start(): void;
  stop(): void;
  readonly running: boolean;
}

const MOST = 64; // characters of a call: who comes back to the page finds no flood
const LONGEST_MS = 150; // of a call: where writing is slower than the speed, it still comes by itself

/**
 * @param speed characters a second, asked each time
 * @param leastMs between two calls
 * @param call for so many characters; false ends it
 */
export function pace(
  speed: () => number,
  leastMs: number,
  call: (count: number) => Promise<boolean>,
): Pace {
  let run = 0; // which start it is: what an earlier one had begun is ignored
  const go = async (mine: number) => {
    let due = 1; // the first at once
    let most = 1;
    let last = performance.now();
    while (run === mine) {
      if (due >= 1) {
        const count = Math.min(most, Math.floor(due));
        due = Math.min(due - count, MOST);
        const begin = performance.now();
        if (!(await call(count))) break;
        const each = (performance.now() - begin) / count;
        most = Math.max(1, Math.min(MOST, Math.floor(LONGEST_MS / each)));
      }
      await new Promise((soon) => setTimeout(soon, Math.max(leastMs, 1000 / speed() - 4)));
      const now = performance.now();
      due += ((now - last) / 1000) * speed();
      last = now;
    }
    if (run === mine) run = -run;
  };
  return {
    start() {
      run = Math.abs(run) + 1;
      void go(run);
    },
    stop: () => void (run = -Math.abs(run)),
    get running() {
      return run > 0;
    },
  };
}
