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
          table(
            ['TENANT', 'NAME', 'ZONE', 'LOCALE', 'CREATED'],
            page.data.map((one) => [one.id, one.name, one.zone, one.locale, at(one.created_at)]),
          ),
        );
        return 0;
      }),
    );
}
