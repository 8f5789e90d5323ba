import type { Kysely } from 'kysely';
import type { GatewayTables } from '../tables.js';
import type { Scope } from './scopes.js';

export interface ApiKey {
  id: string;
  tenant: string;
  hash: Buffer;
  livemode: boolean;
  scopes: readonly string[];
  expires_at: Date | null;
  revoked_at: Date | null;
}

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
  scopes: readonly Scope[];
  expiresAt: Date | null;
}

export async function insertApiKey(db: Kysely<GatewayTables>, key: NewApiKey): Promise<void> {
  await db
    .insertInto('api_keys')
    .values({ id: key.id, tenant: key.tenant, hash: key.hash, livemode: key.livemode, scopes: [...key.scopes], expires_at: key.expiresAt })
    .execute();
}
