import type { ApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count } from '../output/time.js';

interface Options extends CommonOptions {
  tenant?: string;
  status?: string;
  limit: number;
}

export function keysList(parent: Command, cli: Cli): void {
  looking(parent, { name: 'list', summary: 'Keys without their secrets' })
    .option('--tenant <id>', 'only of this tenant')
    .addOption(new Option('--status <status>', 'only these').choices(['active', 'expired', 'revoked']))
    .option('--limit <n>', 'most rows', count, 100)
    .action(
      cli.run(async ({ tenant, status, limit }: Options) => {
        const page = await cli.client.list<ApiKeyView>('/v1/ops/api-keys', { tenant, status }, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'There are none.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return 0;
      }),
    );
}

const rows = (keys: readonly ApiKeyView[]): string =>
  table(
    ['KEY', 'TENANT', 'MODE', 'STATUS', 'CREATED', 'ENDS', 'SCOPES'],
    keys.map((key) => [
      key.id,
      key.tenant,
      key.livemode ? 'live' : 'test',
      key.status,
      at(key.created_at),
      key.revoked_at ? at(key.revoked_at) : key.expires_at ? at(key.expires_at) : 'never',
      key.scopes.join(' '),
    ]),
  );
