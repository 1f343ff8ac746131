/**
 * Compares attention on a backend of this machine with what the PyTorch original answers:
 *
 *     $ npm run verify -- --backend webgpu
 *     webgpu, nvidia ada-lovelace: computed by fused kernels in 2.1 s
 *     6 of 6 cases give the original's numbers; the largest error is 1.6e-7
 *
 * Exit status 1 if a case fails, or if the backend does not start.
 */
import {Command, Option} from 'commander';

import {Verification, VerifyFailure, verify} from '../src';
import {NAMES, Name, start} from './start_backend';

const BY = {
  fused: 'by fused kernels',
  composite: 'by ordinary ops',
  both: 'by fused kernels and, where they refuse, by ordinary ops',
};

/** The answer in lines. */
export function linesOf(answer: Verification): string[] {
  const {backend, device, implementation, cases, passed, maxError, failures, seconds} = answer;
  return [
    `${backend}, ${device}: computed ${BY[implementation]} in ${seconds.toFixed(1)} s`,
    `${passed} of ${cases} cases give the original's numbers; the largest error is ${digits(maxError)}`,
    ...failures.map((failure) => `  ${lineOf(failure)}`),
  ];
}

function lineOf({case: name, error, tolerance}: VerifyFailure): string {
  if (typeof error === 'string') return `${name}: ${error}`;
  return `${name}: the error is ${digits(error)}, and should be at most ${digits(tolerance)}`;
}

function digits(x: number): string {
  return x.toExponential(1);
}

async function main() {
  const backend = new Option('--backend <name>', 'where to compute').choices(NAMES).default('wasm');
  const command = new Command('npm run verify --')
    .description("Compare attention on a backend with the original's numbers.")
    .addOption(backend)
    .allowExcessArguments(false)
    .parse();
  try {
    const stop = await start(command.opts<{backend: Name}>().backend);
    const answer = await verify();
    console.log(linesOf(answer).join('\n'));
    process.exitCode = answer.passed === answer.cases ? 0 : 1;
    stop();
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

if (require.main === module) void main();
