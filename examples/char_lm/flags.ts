import {Command, InvalidArgumentError, Option} from 'commander';

import {BACKENDS} from './backend';

const LARGEST = 2 ** 31 - 1;

/** Parsers of flags. They reject what Number() would let through, such as '' and '1e999'. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= LARGEST) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${LARGEST}.`);
  };
}

export function positive(text: string): number {
  const value = decimal(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}

export function notNegative(text: string): number {
  const value = decimal(text);
  if (value >= 0) return value;
  throw new InvalidArgumentError('It must be a number, 0 or above.');
}

function decimal(text: string): number {
  const value = /^-?[\d.]+(e-?\d+)?$/i.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

export function backendFlag(): Option {
  return new Option(
    '--backend <name>',
    'where to compute (default: the first that starts)',
  ).choices(BACKENDS);
}

/** Runs a command; what goes wrong becomes one line on stderr and exit status 1. */
export async function run(command: Command, action: () => Promise<void>): Promise<void> {
  command.showHelpAfterError('(--help lists the flags)').parse();
  try {
    await action();
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
