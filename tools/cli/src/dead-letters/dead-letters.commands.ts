import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { deadLettersChanges } from './change.command.js';
import { deadLettersList } from './list.command.js';
import { deadLettersShow } from './show.command.js';

export function deadLettersCommands(program: Command, cli: Cli): void {
  const letters = program.command('dead-letters').description('Messages and work that were set aside after they failed for good');
  deadLettersList(letters, cli);
  deadLettersShow(letters, cli);
  deadLettersChanges(letters, cli);
}
