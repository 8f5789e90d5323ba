import { openDatabase } from '@tidegate/database/database';
import { createLogger } from '@tidegate/telemetry/logger';
import { type Kysely, sql, type Transaction } from 'kysely';
import { recordOperatorAction } from '@tidegate/database/operator-action';
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

/** Who asks for it, `shell:<login>`, and why. */
export interface Operator {
  actor: string;
  reason: string;
}
const SETUP: Operator = { actor: 'shell', reason: 'first key' };

/** Makes a tenant; one that exists stays as it is. Answers what is there. */
export async function createTenant(
  databaseUrl: string,
  tenant: TenantOptions,
  operator = SETUP,
): Promise<TenantOptions & { created: boolean }> {
  const { id, ...details } = tenant;
  return inDatabase(databaseUrl, async (tx) => {
    const { tenant: kept, created } = await ensureTenant(tx, tenant);
    if (created) await recordOperatorAction(tx, { ...operator, action: 'tenant.create', target: id, details }, new Date());
    return { id, name: kept.name, zone: kept.zone, locale: kept.locale, created };
  });
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
  operator = SETUP,
): Promise<{ id: string; key: string; tenant: string; scopes: readonly Scope[]; livemode: boolean; expires_at: string | null }> {
  const { id, key } = newKey(options.livemode ? 'live' : 'test');
  await inDatabase(databaseUrl, async (tx) => {
    await insertApiKey(tx, { ...options, id, hash: hashOf(key) });
    await recordOperatorAction(tx, { ...operator, action: 'api_key.create', target: id, details: { ...options } }, new Date());
  });
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
async function inDatabase<R>(databaseUrl: string, work: (tx: Transaction<GatewayTables>) => Promise<R>): Promise<R> {
  const database = openDatabase<GatewayTables>(
    { url: databaseUrl, poolSize: 1, applicationName: 'gateway admin' },
    createLogger({ service: 'gateway', level: 'silent' }),
  );
  try {
    await sql`set search_path = gateway`.execute(database.db);
    return await (database.db as Kysely<GatewayTables>).transaction().execute(work);
  } finally {
    await database.close();
  }
}
