import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { windowOverride } from './override.command.js';
import { windowReconcile } from './reconcile.command.js';

export function paymentWindowCommands(program: Command, cli: Cli): void {
  const window = program.command('payment-window').description('How long a checkout may be paid');
  windowReconcile(window, cli);
  windowOverride(window, cli);
}
