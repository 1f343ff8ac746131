/** Both tiles on a small call in cache: once, before the first large one; 15 to 50 ms. */
import {writeStruct} from './call';
import {instantiate} from './module';
import {CALL} from './module.generated';
import {Tile, chooseTile, chosenTile, fasterTile} from './tile';

const SAMPLE_MS = 1; // clocks of browsers may not tell less

// one head, of two windows
const SMALL = {
  ...{batch: 1, heads: 1, length: 128, headDim: 64, valueDim: 64, windowSize: 64, lookBackward: 1},
  ...{causal: 1, scale: 1, keptFactor: 1, maskRows: 1, biasHeads: 1},
};
const CALL_AT = 64;
const INPUT = 1024; // the same zeros are queries, keys and values
const OUTPUT = INPUT + 4 * SMALL.length * SMALL.headDim;
const STATS = OUTPUT + 4 * SMALL.length * SMALL.valueDim;
const SCRATCH = STATS + 8 * SMALL.length;
const PAGES = 3; // of 64 KiB, scratch memory included

/** Makes the flag name the faster tile, where it names none; for engines that run the program. */
export function settleTile(): void {
  if (chosenTile() !== null) return;
  const memory = tryToReserve();
  chooseTile(memory ? fasterTile(timerIn(memory)) : 'narrow');
}

function tryToReserve(): WebAssembly.Memory | null {
  try {
    return new WebAssembly.Memory({initial: PAGES});
  } catch {
    return null; // an engine that has many memories reserves no more
  }
}

/** Milliseconds of the call, in either tile. */
function timerIn(memory: WebAssembly.Memory): (tile: Tile) => number {
  const at = {q: INPUT, k: INPUT, v: INPUT, out: OUTPUT, softmaxStats: STATS};
  writeStruct(CALL, {...SMALL, ...at}, {memory, scratch: () => CALL_AT});
  return (tile) => {
    const program = instantiate(memory, tile);
    program.begin(CALL_AT);
    const start = performance.now();
    let calls = 0;
    let ms = 0;
    for (; ms < SAMPLE_MS; ms = performance.now() - start) {
      program.compute(0, 0, SCRATCH);
      calls++;
    }
    return ms / calls;
  };
}
