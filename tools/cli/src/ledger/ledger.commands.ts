import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { ledgerBalances } from './balances.command.js';

export function ledgerCommands(program: Command, cli: Cli): void {
  ledgerBalances(program.command('ledger').description('The double-entry ledger of the tenant that the API key is of'), cli);
}
