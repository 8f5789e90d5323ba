import { resolve } from 'node:path';
import { schemasOf } from '@tidegate/database/schema-file';
import { shellUser } from '@tidegate/database/shell-user';
import { type Command, Option } from 'commander';
import { readManifest } from '../backup/dump-format.js';
import { type Loaded, load } from '../backup/load.js';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { adminUrl, rolePassword } from '../database/admin-url.js';
import { migrated } from '../database/migrate.command.js';
import { facts } from '../output/table.js';
import { at } from '../output/time.js';
import { givenIn } from '../database/admin-url.js';
import { Failure } from '../exit.js';
import { BLIND, collectUpTo, isBlind, type Recovered, recoveredFacts, recoverReceipts, type UpTo } from './recover-receipts.js';

interface Options extends CommonOptions {
  from: string;
  reason: string;
  receiptsUpTo: UpTo;
}

export function restoreLoad(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'load',
    summary: 'Make a new database of a backup, and recover receipt numbers, before services start',
    help: `DATABASE_URL is that of the new, empty database's owner; GATEWAY_DATABASE_URL and so on are the services' at that database, as for \`database migrate\`. With
RECEIPTS_NATS_URL, receipts that were issued after the backup are taken from their stream. Requests are held until \`restore finish\`.
Numbers that are known from elsewhere, such as a payer's PDF: --receipts-up-to acme/R/2026=1204 keeps all up to that one from being given again.`,
  })
    .requiredOption('--from <folder>', 'a backup that `backup create` made')
    .addOption(
      new Option('--receipts-up-to <tenant/series/year=number>', 'a number that was given; may be repeated')
        .argParser(collectUpTo)
        .default({}, 'none'),
    )
    .action(
      cli.run(async ({ from, receiptsUpTo, ...options }: Options) => {
        const folder = resolve(cli.terminal.cwd, from);
        const { taken_at, tables } = readManifest(folder);
        const url = adminUrl(cli.terminal);
        const passwords = new Map(schemasOf().map(({ role }) => [role, rolePassword(cli.terminal, role)]));
        const { done, result } = await cli.change(
          options,
          {
            will: [
              `make the schemas at ${new URL(url).host} and fill them with ${tables.reduce((sum, { rows }) => sum + rows, 0)} rows, as of ${at(taken_at)}`,
              'begin a new epoch in every outbox, so that consumers know positions given out anew',
              'take receipts that were issued since then from their stream; numbers between them that nobody has are recorded as lost and never given again',
              'hold requests that move money',
            ],
            beware: [
              ...(isBlind({ stream: givenIn(cli.terminal.env, 'RECEIPTS_NATS_URL') === undefined ? 'not_asked' : 'read' }, receiptsUpTo)
                ? [BLIND]
                : []),
              `what happened after ${at(taken_at)} is not in the record until \`restore finish\` has found it at Stripe`,
            ],
            act: async () => {
              await migrated(cli.terminal, url, (role) => passwords.get(role) ?? '');
              const loaded = await load(url, folder, { reason: options.reason, actor: `shell:${shellUser()}` });
              return { loaded, receipts: await recoverReceipts(cli.terminal, url, receiptsUpTo, options.reason).catch(notRecovered) };
            },
          },
          resultText,
        );
        if (!done) return 1;
        return result.receipts.lost.length > 0 || isBlind(result.receipts, receiptsUpTo) ? 2 : 0;
      }),
    );
}

function notRecovered(error: unknown): never {
  throw new Failure(
    'restore.receipts_failed',
    `${error instanceof Error ? error.message : String(error)}\nThe database is loaded and requests are held, but receipt numbers are not recovered: do not start receipts before \`tidegate restore receipts\` has succeeded.`,
  );
}

function resultText({ loaded, receipts }: { loaded: Loaded; receipts: Recovered }): string {
  return facts([
    ['rows', `${loaded.rows} in ${loaded.tables} tables`],
    ['as of', at(loaded.restore_point)],
    [
      'epochs',
      Object.entries(loaded.epochs)
        .map(([owner, epoch]) => `${owner} ${epoch}`)
        .join(', '),
    ],
    ...recoveredFacts(receipts),
    ['next', 'start the services, then `tidegate restore finish`'],
  ]);
}
