import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { receiptsRegenerate, receiptsResend } from './change.command.js';
import { receiptsList } from './list.command.js';
import { receiptsShow } from './show.command.js';
import { receiptsVerify } from './verify.command.js';

export function receiptsCommands(program: Command, cli: Cli): void {
  const receipts = program.command('receipts').description('Receipts and credit notes of all tenants, and their documents');
  receiptsList(receipts, cli);
  receiptsShow(receipts, cli);
  receiptsRegenerate(receipts, cli);
  receiptsResend(receipts, cli);
  receiptsVerify(receipts, cli);
}
