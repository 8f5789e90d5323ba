import { createHash } from 'node:crypto';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { type Kysely, type Selectable } from 'kysely';
import type { GatewayTables } from '../tables.js';

export type TenantRow = Selectable<GatewayTables['tenants']>;

export async function findTenant(db: Kysely<GatewayTables>, id: string): Promise<Tenant | null> {
  const row = await db
    .selectFrom('tenants')
    .select(['id', 'name', 'zone', 'locale', 'legal_lines', 'tax_ids', 'accent', 'logo'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row ? { ...row, logo: row.logo && { sha256: hashOfLogo(row.logo), png: row.logo.toString('base64') } } : null;
}

export const hashOfLogo = (png: Buffer): string => createHash('sha256').update(png).digest('hex');

/** Changes what documents look like; undefined when there is no such tenant. */
export async function brandTenant(db: Kysely<GatewayTables>, id: string, changes: Branding): Promise<TenantRow | undefined> {
  const { legal_lines, tax_ids, ...rest } = changes;
  const lists = {
    ...(legal_lines === undefined ? {} : { legal_lines: JSON.stringify(legal_lines) }),
    ...(tax_ids === undefined ? {} : { tax_ids: JSON.stringify(tax_ids) }),
  };
  const set = { ...rest, ...lists };
  if (Object.keys(set).length === 0) return db.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst();
  return db.updateTable('tenants').set(set).where('id', '=', id).returningAll().executeTakeFirst();
}

export interface Branding {
  name?: string;
  legal_lines?: string[];
  tax_ids?: string[];
  accent?: string | null;
  logo?: Buffer | null;
}

/** Tenants with an id behind `after`, by id. */
export async function listTenants(db: Kysely<GatewayTables>, after: string | null, limit: number): Promise<TenantRow[]> {
  const all = db.selectFrom('tenants').selectAll().orderBy('id').limit(limit);
  return (after === null ? all : all.where('id', '>', after)).execute();
}

/** Makes the tenant, or leaves the one that exists as it is. */
export async function ensureTenant(
  db: Kysely<GatewayTables>,
  tenant: Pick<Tenant, 'id' | 'name' | 'zone' | 'locale'>,
): Promise<{ tenant: TenantRow; created: boolean }> {
  const made = await db
    .insertInto('tenants')
    .values({ ...tenant, legal_lines: '[]' })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (made) return { tenant: made, created: true };
  return { tenant: await db.selectFrom('tenants').selectAll().where('id', '=', tenant.id).executeTakeFirstOrThrow(), created: false };
}
