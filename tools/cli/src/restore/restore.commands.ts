import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { restoreFinish } from './finish.command.js';
import { restoreHold } from './hold.command.js';
import { restoreLoad } from './load.command.js';
import { restoreReceipts } from './receipts.command.js';
import { restoreStatus } from './status.command.js';

export function restoreCommands(program: Command, cli: Cli): void {
  const restore = program.command('restore').description('After the database was lost: the record as of a backup, and what it lacks');
  restoreLoad(restore, cli);
  restoreReceipts(restore, cli);
  restoreHold(restore, cli);
  restoreFinish(restore, cli);
  restoreStatus(restore, cli);
}
