import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '../tables.js';

/** Keeps a logo under its SHA-256, once; answers the SHA-256. */
export async function keepLogo(db: Kysely<Tables>, png: Buffer, now: Date): Promise<string> {
  const sha256 = createHash('sha256').update(png).digest('hex');
  await db
    .insertInto('logos')
    .values({ sha256, png, stored_at: now })
    .onConflict((conflict) => conflict.column('sha256').doNothing())
    .execute();
  return sha256;
}

/** The PNG of a logo, ready to be handed to the renderer; empty when there is none. Throws when a logo that a receipt names is not kept. */
export async function logosFor(db: Kysely<Tables>, sha256: string | null): Promise<Record<string, Uint8Array>> {
  if (sha256 === null) return {};
  const { png } = await db.selectFrom('logos').select('png').where('sha256', '=', sha256).executeTakeFirstOrThrow();
  return { [sha256]: png };
}
