import { readFileSync } from 'node:fs';
import type { TenantView } from '@tidegate/contracts/ops/tenants';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { Failure } from '../exit.js';
import { facts } from '../output/table.js';

interface Options extends CommonOptions {
  reason: string;
  name?: string;
  accent?: string;
  legalLine?: string[];
  taxId?: string[];
  logo?: string | false;
}

export function tenantsBrand(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'brand',
    summary: "Change what a tenant's documents look like",
    help: `Receipts that were issued keep what they had. What is not given stays; lines and tax ids are given all together.

Example:
  tidegate tenants brand acme --legal-line "1 Quay Street, Cork" --legal-line "Reg. No. 12345" --tax-id IE1234567X --accent "#1d4f91" --logo acme.png --reason "new look"`,
  })
    .argument('<id>', 'the tenant')
    .option('--name <text>', 'shown on its receipts')
    .option('--accent <colour>', 'the one colour of its documents, such as #0b6e75')
    .option('--legal-line <text>', 'a line below the name; may be given again', collect)
    .option('--tax-id <id>', 'a tax id; may be given again', collect)
    .option('--logo <file>', 'a PNG of at most 64 KiB')
    .option('--no-logo', 'take the logo away')
    .action(
      cli.run(async (id: string, { name, accent, legalLine, taxId, logo, ...options }: Options) => {
        const body = {
          ...{ name, accent, legal_lines: legalLine, tax_ids: taxId },
          ...(logo === undefined ? {} : { logo: logo === false ? null : pngIn(logo) }),
        };
        const given = Object.entries(body).filter(([, value]) => value !== undefined);
        if (given.length === 0)
          throw new Failure('brand.nothing', 'Say what is to change: --name, --accent, --legal-line, --tax-id, --logo.');
        const will = given.map(
          ([what, value]) => `set ${what.replace('_', ' ')} of ${id} to ${what === 'logo' ? logo || 'none' : [value].flat().join(' / ')}`,
        );
        const act = () =>
          cli.client.post<TenantView>(`/v1/ops/tenants/${encodeURIComponent(id)}/branding`, { ...body, reason: options.reason });
        const { done } = await cli.change(options, { will, act }, (tenant) =>
          facts([
            ['tenant', tenant.id],
            ['name', tenant.name],
            ['lines', tenant.legal_lines.join(' / ')],
            ['tax ids', tenant.tax_ids.join(', ')],
            ['accent', tenant.accent],
            ['logo', tenant.logo],
          ]),
        );
        return done ? 0 : 1;
      }),
    );
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

function pngIn(file: string): string {
  try {
    return readFileSync(file).toString('base64');
  } catch (error) {
    throw new Failure('brand.logo_unreadable', `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`);
  }
}
