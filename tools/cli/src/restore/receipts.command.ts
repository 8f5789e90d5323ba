import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { adminUrl } from '../database/admin-url.js';
import { facts } from '../output/table.js';
import { BLIND, collectUpTo, isBlind, recoveredFacts, recoverReceipts, type UpTo } from './recover-receipts.js';

interface Options extends CommonOptions {
  reason: string;
  receiptsUpTo: UpTo;
}

export function restoreReceipts(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'receipts',
    summary: 'Recover receipt numbers alone: after a `restore load` that could not, or a database that was restored by other means',
    help: `Before receipts starts. DATABASE_URL is that of the database's owner, RECEIPTS_DATABASE_URL and RECEIPTS_NATS_URL are the service's. Changes nothing the second
time. Exit code 2: numbers are lost, or nobody has said how far they had gone.`,
  })
    .addOption(
      new Option('--receipts-up-to <tenant/series/year=number>', 'a number that was given; may be repeated')
        .argParser(collectUpTo)
        .default({}, 'none'),
    )
    .action(
      cli.run(async ({ receiptsUpTo, ...options }: Options) => {
        const url = adminUrl(cli.terminal);
        const { done, result } = await cli.change(
          options,
          {
            will: [
              'take receipts that were issued since the backup from their stream; numbers between them that nobody has are recorded as lost and never given again',
            ],
            beware: ['receipts must not run meanwhile'],
            act: () => recoverReceipts(cli.terminal, url, receiptsUpTo, options.reason),
          },
          (recovered) => facts(recoveredFacts(recovered)),
        );
        if (!done) return 1;
        if (isBlind(result, receiptsUpTo)) cli.note(BLIND);
        return result.lost.length > 0 || isBlind(result, receiptsUpTo) ? 2 : 0;
      }),
    );
}
