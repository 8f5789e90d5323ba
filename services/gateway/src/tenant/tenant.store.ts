import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { type Kysely, sql } from 'kysely';
import type { GatewayTables } from '../tables.js';

export async function findTenant(db: Kysely<GatewayTables>, id: string): Promise<Tenant | null> {
  const row = await db
    .selectFrom('tenants')
    .select(['id', 'name', 'zone', 'locale', 'legal_lines'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}

/** Makes the tenant, or leaves the one that exists as it is. True when it was made. */
export async function ensureTenant(db: Kysely<GatewayTables>, tenant: Omit<Tenant, 'legal_lines'>): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('tenants')
    .values({ ...tenant, legal_lines: sql`'[]'::jsonb` })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
