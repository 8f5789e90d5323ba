import { type Command, Option } from 'commander';
import { timeOrAge } from '../output/time.js';

/** Which receipts, as the options say it. */
export interface ReceiptOptions {
  tenant?: string;
  payment?: string;
  kind?: 'receipt' | 'credit_note';
  status?: 'issued' | 'rendered' | 'failed';
  since?: string;
  until?: string;
}

/** The options that say which receipts. */
export const withReceiptOptions = (command: Command): Command =>
  command
    .option('--tenant <id>', 'only of this tenant')
    .option('--payment <id>', 'only of this payment')
    .addOption(new Option('--kind <kind>', 'only these').choices(['receipt', 'credit_note']))
    .addOption(new Option('--status <status>', 'only in this status').choices(['issued', 'rendered', 'failed']))
    .option('--since <when>', 'only issued from then on: a time, or an age such as 2h', timeOrAge)
    .option('--until <when>', 'only issued before then: a time, or an age', timeOrAge);

export const queryOf = ({ tenant, payment, kind, status, since, until }: ReceiptOptions) => ({
  ...{ tenant, payment, kind, status },
  created_gte: since,
  created_lt: until,
});
