import { openDatabase } from '@tidegate/database/database';
import { createLogger } from '@tidegate/telemetry/logger';
import { type Kysely, sql } from 'kysely';
import { insertApiKey } from '../api-key/api-key.store.js';
import { hashOf, newKey } from '../api-key/key-format.js';
import type { Scope } from '../api-key/scopes.js';
import type { GatewayTables } from '../tables.js';
import { ensureTenant } from '../tenant/tenant.store.js';

export interface TenantOptions {
  id: string;
  name: string;
  zone: string;
  locale: string;
}

/** Makes a tenant; one that exists stays as it is. */
export async function createTenant(databaseUrl: string, tenant: TenantOptions): Promise<{ id: string; created: boolean }> {
  return withDatabase(databaseUrl, async (db) => ({ id: tenant.id, created: await ensureTenant(db, tenant) }));
}

export interface KeyOptions {
  tenant: string;
  scopes: readonly Scope[];
  livemode: boolean;
  expiresAt: Date | null;
}

/** Makes a key. The answer is the only place where the key is ever seen. */
export async function createKey(
  databaseUrl: string,
  options: KeyOptions,
): Promise<{ id: string; key: string; tenant: string; scopes: readonly Scope[]; livemode: boolean; expires_at: string | null }> {
  const { id, key } = newKey(options.livemode ? 'live' : 'test');
  await withDatabase(databaseUrl, (db) => insertApiKey(db, { ...options, id, hash: hashOf(key) }));
  return {
    id,
    key,
    tenant: options.tenant,
    scopes: options.scopes,
    livemode: options.livemode,
    expires_at: options.expiresAt?.toISOString() ?? null,
  };
}

/** As the gateway's own role or as the administrator, whose search_path is another. */
async function withDatabase<R>(databaseUrl: string, work: (db: Kysely<GatewayTables>) => Promise<R>): Promise<R> {
  const database = openDatabase<GatewayTables>(
    { url: databaseUrl, poolSize: 1, applicationName: 'gateway admin' },
    createLogger({ service: 'gateway', level: 'silent' }),
  );
  try {
    await sql`set search_path = gateway`.execute(database.db);
    return await work(database.db);
  } finally {
    await database.close();
  }
}
