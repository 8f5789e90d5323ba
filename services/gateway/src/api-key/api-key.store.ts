import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { GatewayTables } from '../tables.js';

export interface ApiKey {
  id: string;
  tenant: string;
  hash: Buffer;
  livemode: boolean;
  scopes: readonly string[];
  expires_at: Date | null;
  revoked_at: Date | null;
}

/** A key as lists show it. */
export type ApiKeyRow = Omit<Selectable<GatewayTables['api_keys']>, 'hash'>;
const SHOWN = ['id', 'tenant', 'livemode', 'scopes', 'created_at', 'expires_at', 'revoked_at'] as const;

export async function findApiKey(db: Kysely<GatewayTables>, id: string): Promise<ApiKey | null> {
  const row = await db
    .selectFrom('api_keys')
    .select(['id', 'tenant', 'hash', 'livemode', 'scopes', 'expires_at', 'revoked_at'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row ?? null;
}

export interface NewApiKey {
  id: string;
  tenant: string;
  hash: Buffer;
  livemode: boolean;
  scopes: readonly string[];
  expiresAt: Date | null;
}

/** A key of a tenant that does not exist. */
export class TenantMissing extends Error {
  override readonly name = 'TenantMissing';
}

/** Throws TenantMissing. */
export async function insertApiKey(db: Kysely<GatewayTables>, key: NewApiKey): Promise<ApiKeyRow> {
  try {
    return await db
      .insertInto('api_keys')
      .values({
        id: key.id,
        tenant: key.tenant,
        hash: key.hash,
        livemode: key.livemode,
        scopes: [...key.scopes],
        expires_at: key.expiresAt,
      })
      .returning(SHOWN)
      .executeTakeFirstOrThrow();
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'api_keys_tenant_exists')
      throw new TenantMissing(`There is no tenant ${key.tenant}; make it first.`);
    throw error;
  }
}

/** One key, held until the transaction ends. */
export async function lockApiKey(tx: Transaction<GatewayTables>, id: string): Promise<ApiKeyRow | null> {
  return (await tx.selectFrom('api_keys').select(SHOWN).where('id', '=', id).forUpdate().executeTakeFirst()) ?? null;
}

export interface ApiKeyQuery {
  tenant: string | undefined;
  status: string | undefined;
  after: string | null;
  now: Date;
  limit: number;
}

/** Keys with an id behind `after`, by id. */
export async function listApiKeys(db: Kysely<GatewayTables>, { tenant, status, after, now, limit }: ApiKeyQuery): Promise<ApiKeyRow[]> {
  let query = db.selectFrom('api_keys').select(SHOWN).orderBy('id').limit(limit);
  if (tenant !== undefined) query = query.where('tenant', '=', tenant);
  if (after !== null) query = query.where('id', '>', after);
  if (status === 'revoked') query = query.where('revoked_at', 'is not', null);
  if (status === 'expired') query = query.where('revoked_at', 'is', null).where('expires_at', '<=', now);
  if (status === 'active')
    query = query.where('revoked_at', 'is', null).where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]));
  return query.execute();
}

/** The key ends at that time, or earlier if it would have anyway. */
export async function endAt(tx: Transaction<GatewayTables>, id: string, at: Date): Promise<ApiKeyRow> {
  return tx
    .updateTable('api_keys')
    .set({ expires_at: sql<Date>`least(expires_at, ${at})` })
    .where('id', '=', id)
    .returning(SHOWN)
    .executeTakeFirstOrThrow();
}

export async function revoke(tx: Transaction<GatewayTables>, id: string, at: Date): Promise<ApiKeyRow> {
  return tx.updateTable('api_keys').set({ revoked_at: at }).where('id', '=', id).returning(SHOWN).executeTakeFirstOrThrow();
}
