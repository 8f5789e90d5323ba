import type { Command } from 'commander';
import { Failure } from './exit.js';

/** What a noun's file does: adds its commands. */
export interface CommandSpec {
  name: string;
  summary: string;
  /** Longer text and examples, shown under the options by `--help`. */
  help?: string;
}

/** A command that only looks. */
export function looking(parent: Command, { name, summary, help }: CommandSpec): Command {
  const command = parent.command(name).description(summary).option('--json', 'one JSON document on stdout, for scripts');
  return help === undefined ? command : command.addHelpText('after', `\n${help}`);
}

/** A command that changes something: it says what it would do, and asks. */
export function changing(parent: Command, spec: CommandSpec): Command {
  return looking(parent, spec).requiredOption('--reason <text>', 'why; kept with who and when').option('--yes', 'do it without asking');
}

/** Throws a Failure for ids beside --all: one of them was not meant, and it may be the ids. */
export function refuseIdsWithAll(ids: readonly string[], { all }: { all?: true | undefined }): void {
  if (all && ids.length > 0) throw new Failure('filter.contradictory', 'Give ids or --all, not both. Nothing was done.');
}
