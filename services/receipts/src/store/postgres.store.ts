import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.js';
import type { DocumentStore } from './document-store.port.js';

/**
 * Documents in the table `documents`, one per receipt: written in the transaction that records them, so that both are there or neither. What another one takes the place of
 * goes to `former_documents`, unless it was damaged.
 */
export function postgresStore(db: Kysely<Tables>): DocumentStore {
  return {
    name: 'postgres',
    async put({ receiptId, sha256 }, pdf, now) {
      const row = { sha256, pdf: Buffer.from(pdf), stored_at: now };
      return async (tx) => {
        await sql`
          INSERT INTO former_documents (receipt_id, sha256, pdf, stored_at)
          SELECT receipt_id, sha256, pdf, stored_at FROM (SELECT * FROM documents WHERE receipt_id = ${receiptId} FOR UPDATE) AS present
          WHERE sha256 <> ${sha256} AND encode(sha256(pdf), 'hex') = sha256
          ON CONFLICT DO NOTHING`.execute(tx);
        await tx
          .insertInto('documents')
          .values({ receipt_id: receiptId, ...row })
          .onConflict((conflict) => conflict.column('receipt_id').doUpdateSet(row))
          .execute();
      };
    },
    async get({ receiptId, sha256 }) {
      const { rows } = await sql<{ pdf: Buffer }>`
        SELECT pdf FROM documents WHERE receipt_id = ${receiptId} AND sha256 = ${sha256}
        UNION ALL SELECT pdf FROM former_documents WHERE receipt_id = ${receiptId} AND sha256 = ${sha256} LIMIT 1`.execute(db);
      return rows[0]?.pdf ?? null;
    },
  };
}
