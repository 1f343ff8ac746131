import {Command, InvalidArgumentError} from 'commander';

const WHOLE = /^[1-9]\d{0,7}$/;

/** A parser of lists such as `W1,W3`, of names among `known`. */
export function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((name) => {
      if ((known as readonly string[]).includes(name)) return name as T;
      throw new InvalidArgumentError(`Known are ${known.join(', ')}.`);
    });
}

/** A parser of lists such as `1,2`. */
export function wholeNumbers(text: string): number[] {
  return text.split(',').map((part) => {
    if (WHOLE.test(part)) return Number(part);
    throw new InvalidArgumentError('It must be whole numbers from 1 on, with commas between.');
  });
}

export function wholeNumber(text: string): number {
  if (WHOLE.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}

/** Runs a command; what goes wrong becomes one line on stderr and exit status 1. */
export async function run(command: Command, action: () => Promise<void>): Promise<void> {
  command.showHelpAfterError('(--help lists the flags)').allowExcessArguments(false).parse();
  try {
    await action();
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
