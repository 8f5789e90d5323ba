import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { checkoutsList } from './list.command.js';
import { checkoutsLateSuccess } from './late-success.command.js';
import { checkoutsShow } from './show.command.js';

export function checkoutsCommands(program: Command, cli: Cli): void {
  const checkouts = program.command('checkouts').description('Checkouts of all tenants');
  checkoutsList(checkouts, cli);
  checkoutsShow(checkouts, cli);
  checkoutsLateSuccess(checkouts, cli);
}
