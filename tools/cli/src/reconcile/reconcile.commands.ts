import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { reconcileRun } from './run.command.js';
import { reconcileRuns } from './runs.command.js';
import { reconcileStatus } from './status.command.js';

export function reconcileCommands(parent: Command, cli: Cli): void {
  const reconcile = parent.command('reconcile').description('Compares what is recorded with what Stripe says.');
  reconcileRun(reconcile, cli);
  reconcileStatus(reconcile, cli);
  reconcileRuns(reconcile, cli);
}
