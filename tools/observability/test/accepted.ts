import { Cli } from '@tidegate/cli/cli';
import { program } from '@tidegate/cli/program';
import { processTerminal } from '@tidegate/cli/terminal';
import type { Command } from 'commander';

const tidegate = program(new Cli(processTerminal()));

/** Why commander would refuse a command line; null when it would not. Words in capitals stand for something. */
export function refusalOf(words: readonly string[]): string | null {
  const line = `tidegate ${words.join(' ')}`;
  const { command, rest: given } = commandOf(words);
  if (command.commands.length > 0) return `${line}: there is no command ${given[0] ?? ''}`;
  const rest = given.filter((word) => word !== '…');
  let positional = 0;
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at]!;
    if (!word.startsWith('--')) positional += 1;
    else {
      const option = command.options.find((one) => one.long === word);
      if (option === undefined) return `${line}: ${command.name()} has no ${word}`;
      if (option.required || (option.optional && !rest[at + 1]?.startsWith('--'))) at += 1;
    }
  }
  return positional > command.registeredArguments.length ? `${line}: too many words` : null;
}

/**
 * What a command line lacks that nobody is there to answer for: options that must be given, and `--yes` where the command would ask. Empty when it does what it
 * says as it stands.
 */
export function missingIn(words: readonly string[]): string[] {
  const { command } = commandOf(words);
  const wanted = command.options.filter(({ mandatory, long }) => mandatory || (long === '--yes' && asks(command, words)));
  return wanted.map(({ long }) => long ?? '').filter((long) => !words.includes(long));
}

/** A command with `--repair` asks for that alone, one that takes a `--reason` always. */
function asks(command: Command, words: readonly string[]): boolean {
  const repair = command.options.some(({ long }) => long === '--repair');
  return repair ? words.includes('--repair') : !words.some((word) => word === '--check' || word === '--dry-run');
}

function commandOf(words: readonly string[]): { command: Command; rest: string[] } {
  let command = tidegate;
  let rest = [...words];
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (next === undefined) return { command, rest };
    [command, rest] = [next, rest.slice(1)];
  }
}
