import type { TenantView } from '@tidegate/contracts/ops/tenants';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { gatewayAdmin } from '../keys/gateway-admin.js';
import { facts } from '../output/table.js';

interface Options extends CommonOptions {
  reason: string;
  name?: string;
  zone?: string;
  locale?: string;
}

/** `created` is what the database's program says beside it. */
type Made = Pick<TenantView, 'id' | 'name' | 'zone' | 'locale'> & { created?: boolean };

export function tenantsCreate(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'create',
    summary: 'Make a tenant; one that exists already stays as it is',
    help: `Exit code 2: it exists already, and is not as it was asked for.

Example:\n  tidegate tenants create acme --name "Acme GmbH" --zone Europe/Berlin --locale de --reason "new customer"\n\nThe very first one, before there is a key: with DATABASE_URL set and no TIDEGATE_URL.`,
  })
    .argument('<id>', 'lower-case letters, digits and dashes')
    .option('--name <text>', 'shown on its receipts; the id unless given')
    .option('--zone <IANA>', 'time zone that decides the year of its receipts; UTC unless given')
    .option('--locale <BCP 47>', 'language of its receipts; en unless given')
    .action(
      cli.run(async (id: string, { name, zone, locale, ...options }: Options) => {
        const will = [`make the tenant ${id} (${name ?? id}, ${zone ?? 'UTC'}, ${locale ?? 'en'})`];
        const admin = gatewayAdmin(cli.terminal);
        const act = () => (admin ? viaDatabase() : viaRest());
        const viaRest = () => cli.client.post<TenantView>('/v1/ops/tenants', { id, name, zone, locale, reason: options.reason });
        const viaDatabase = async () => {
          const given = Object.entries({ name, zone, locale }).flatMap(([flag, value]) =>
            value === undefined ? [] : [`--${flag}`, value],
          );
          return (await admin?.(['create-tenant', id, '--reason', options.reason, ...given])) as unknown as Made;
        };
        const { done, result } = await cli.change<Made>(options, { will, act }, (tenant) =>
          facts([
            ['tenant', tenant.id],
            ['name', tenant.name],
            ['zone', tenant.zone],
            ['locale', tenant.locale],
          ]),
        );
        if (!done) return 1;
        // The database's program may write a zone or language in another way.
        if (result.created) return 0;
        const other = Object.entries({ name, zone, locale }).some(
          ([key, value]) => value !== undefined && value !== result[key as keyof Made],
        );
        if (other) cli.note(`${id} exists already and stays as it is.`);
        return other ? 2 : 0;
      }),
    );
}
