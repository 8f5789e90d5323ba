import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { breakerChanges } from './change.command.js';
import { breakerStatus } from './status.command.js';

export function breakerCommands(program: Command, cli: Cli): void {
  const breaker = program.command('breaker').description('The circuit breakers between Tidegate and Stripe');
  breakerStatus(breaker, cli);
  breakerChanges(breaker, cli);
}
