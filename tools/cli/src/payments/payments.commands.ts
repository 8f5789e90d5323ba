import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { paymentsList } from './list.command.js';
import { paymentsResolve } from './resolve.command.js';
import { paymentsShow } from './show.command.js';
import { paymentsStats } from './stats.command.js';

export function paymentsCommands(program: Command, cli: Cli): void {
  const payments = program.command('payments').description('Payments of all tenants');
  paymentsList(payments, cli);
  paymentsShow(payments, cli);
  paymentsResolve(payments, cli);
  paymentsStats(payments, cli);
}
