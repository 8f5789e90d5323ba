import type { TenantView } from '@tidegate/contracts/ops/tenants';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count } from '../output/time.js';

export function tenantsList(parent: Command, cli: Cli): void {
  looking(parent, { name: 'list', summary: 'All tenants, by id' })
    .option('--limit <n>', 'most rows', count, 100)
    .action(
      cli.run(async ({ limit }: CommonOptions & { limit: number }) => {
        const page = await cli.client.list<TenantView>('/v1/ops/tenants', {}, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'There are none.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return 0;
      }),
    );
}

const rows = (tenants: readonly TenantView[]): string =>
  table(
    ['TENANT', 'NAME', 'ZONE', 'LOCALE', 'CREATED'],
    tenants.map((one) => [one.id, one.name, one.zone, one.locale, at(one.created_at)]),
  );
