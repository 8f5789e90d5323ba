import type { Kysely } from 'kysely';
import { type Caller, callerBehind } from '../api-key/authenticator.js';
import type { GatewayTables } from '../tables.js';

/** Stores a token's hash, and forgets those that have ended. */
export async function insertStreamToken(
  db: Kysely<GatewayTables>,
  token: { hash: Buffer; apiKey: string; expiresAt: Date; now: Date },
): Promise<void> {
  await db.deleteFrom('stream_tokens').where('expires_at', '<=', token.now).execute();
  await db.insertInto('stream_tokens').values({ hash: token.hash, api_key: token.apiKey, expires_at: token.expiresAt }).execute();
}

/** Whom a token stands for: the key that it was made with, if both are still good. */
export async function callerOfToken(db: Kysely<GatewayTables>, hash: Buffer, now: Date): Promise<Caller | null> {
  const row = await db
    .selectFrom('stream_tokens')
    .innerJoin('api_keys', 'api_keys.id', 'stream_tokens.api_key')
    .select(['api_keys.id', 'api_keys.tenant', 'api_keys.livemode', 'api_keys.scopes'])
    .where('stream_tokens.hash', '=', hash)
    .where('stream_tokens.expires_at', '>', now)
    .where('api_keys.revoked_at', 'is', null)
    .where((eb) => eb.or([eb('api_keys.expires_at', 'is', null), eb('api_keys.expires_at', '>', now)]))
    .executeTakeFirst();
  return row ? callerBehind(row) : null;
}
