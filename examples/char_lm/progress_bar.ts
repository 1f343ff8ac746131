import {Presets, SingleBar} from 'cli-progress';

import {Progress} from './steps';

/** A bar on stderr; where that is no terminal, a line every five seconds. */
export function progressBar(): {show: (progress: Progress) => void; stop: () => void} {
  const bar = new SingleBar(
    {
      format:
        'training {bar} {percentage}% | step {step} | {bits} bits/char | {speed} chars/s | {left} left',
      barsize: 24,
      noTTYOutput: true,
      notTTYSchedule: 5000,
      gracefulExit: false, // Ctrl-C is ours
    },
    Presets.shades_classic,
  );
  bar.start(100, 0, {step: 0, bits: '-', speed: '-', left: '-'});
  const show = ({step, done, bits, seconds, charactersPerSecond}: Progress) =>
    bar.update(Math.floor(100 * done), {
      step,
      bits: bits.toFixed(2),
      speed: Math.round(charactersPerSecond),
      left: clock((seconds * (1 - done)) / done),
    });
  return {show, stop: () => bar.stop()};
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
