import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { retriesDeadLetter } from './dead-letter.command.js';
import { retriesList } from './list.command.js';

export function retriesCommands(program: Command, cli: Cli): void {
  const retries = program.command('retries').description('Payments that wait for another try or look-up');
  retriesList(retries, cli);
  retriesDeadLetter(retries, cli);
}
