import type { Kysely } from 'kysely';
import type { Tables } from '../tables.js';
import type { DocumentStore } from './document-store.port.js';

/** Documents in the table `documents`, one per receipt: written in the transaction that records them, so that both are there or neither. */
export function postgresStore(db: Kysely<Tables>): DocumentStore {
  return {
    name: 'postgres',
    async put({ receiptId, sha256 }, pdf, now) {
      const row = { sha256, pdf: Buffer.from(pdf), stored_at: now };
      return async (tx) => {
        await tx
          .insertInto('documents')
          .values({ receipt_id: receiptId, ...row })
          .onConflict((conflict) => conflict.column('receipt_id').doUpdateSet(row))
          .execute();
      };
    },
    async get({ receiptId, sha256 }) {
      const found = db.selectFrom('documents').select('pdf').where('receipt_id', '=', receiptId).where('sha256', '=', sha256);
      return (await found.executeTakeFirst())?.pdf ?? null;
    },
  };
}
