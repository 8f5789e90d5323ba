import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { GatewayTables } from '../tables.js';

export type TenantRow = Selectable<GatewayTables['tenants']>;

export async function findTenant(db: Kysely<GatewayTables>, id: string): Promise<Tenant | null> {
  const row = await db
    .selectFrom('tenants')
    .select(['id', 'name', 'zone', 'locale', 'legal_lines'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}

/** Tenants with an id behind `after`, by id. */
export async function listTenants(db: Kysely<GatewayTables>, after: string | null, limit: number): Promise<TenantRow[]> {
  const all = db.selectFrom('tenants').selectAll().orderBy('id').limit(limit);
  return (after === null ? all : all.where('id', '>', after)).execute();
}

/** Makes the tenant, or leaves the one that exists as it is. */
export async function ensureTenant(
  db: Kysely<GatewayTables>,
  tenant: Omit<Tenant, 'legal_lines'>,
): Promise<{ tenant: TenantRow; created: boolean }> {
  const made = await db
    .insertInto('tenants')
    .values({ ...tenant, legal_lines: sql`'[]'::jsonb` })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (made) return { tenant: made, created: true };
  return { tenant: await db.selectFrom('tenants').selectAll().where('id', '=', tenant.id).executeTakeFirstOrThrow(), created: false };
}
