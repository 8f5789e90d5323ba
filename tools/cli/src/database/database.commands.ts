import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { databaseMigrate } from './migrate.command.js';

export function databaseCommands(program: Command, cli: Cli): void {
  const database = program.command('database').description('The schemas of a new version');
  databaseMigrate(database, cli);
}
