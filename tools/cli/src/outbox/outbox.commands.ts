import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { outboxStatus } from './status.command.js';

export function outboxCommands(program: Command, cli: Cli): void {
  outboxStatus(program.command('outbox').description('What services have committed and still publish'), cli);
}
