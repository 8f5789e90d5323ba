import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Kysely } from 'kysely';
import { type DocumentStore, lookUp } from '../src/store/document-store.port.js';
import type { Tables } from '../src/tables.js';

const now = new Date('2026-11-21T06:00:01.000Z');
let next = 0;

/** A document nobody stored yet. */
export function someDocument(text = `%PDF-1.7 ${(next += 1)}`) {
  const pdf = Buffer.from(text);
  return { key: { tenant: 'default', receiptId: `rcp_${next}`, sha256: createHash('sha256').update(pdf).digest('hex') }, pdf };
}

/** Puts it as the flow does: into the store first, then what is left of it in the transaction that records the document. */
export async function putAway(db: Kysely<Tables>, store: DocumentStore, { key, pdf }: ReturnType<typeof someDocument>): Promise<void> {
  const inTransaction = await store.put(key, pdf, now);
  await db.transaction().execute((tx) => inTransaction(tx));
}

/** What every store does. `damage` overwrites the bytes of all that it holds. */
export function documentStoreFeatures(
  name: string,
  world: () => { db: Kysely<Tables>; store: DocumentStore; damage(): Promise<void> | void },
): void {
  describe(`A store of documents: ${name}`, () => {
    it('gives back the bytes that were put into it', async () => {
      const { db, store } = world();
      const document = someDocument();
      await putAway(db, store, document);
      expect(Buffer.from((await store.get(document.key)) ?? [])).toEqual(document.pdf);
    });

    it('takes the same document twice', async () => {
      const { db, store } = world();
      const document = someDocument();
      await putAway(db, store, document);
      await putAway(db, store, document);
      expect(await lookUp(store, document.key)).toMatchObject({ found: 'sound' });
    });

    it('has nothing where nothing was put, or only another rendering of it', async () => {
      const { db, store } = world();
      const document = someDocument();
      expect(await lookUp(store, document.key)).toEqual({ found: 'missing' });
      await putAway(db, store, document);
      expect(await lookUp(store, { ...document.key, sha256: 'f'.repeat(64) })).toEqual({ found: 'missing' });
    });

    it('keeps a document that was made anew as it was, unless it was damaged', async () => {
      const { db, store, damage } = world();
      const [first, other] = [someDocument(), someDocument()];
      const second = { pdf: other.pdf, key: { ...first.key, sha256: other.key.sha256 } };
      await putAway(db, store, first);
      await putAway(db, store, second);
      for (const { key } of [first, second]) expect(await lookUp(store, key)).toEqual({ found: 'sound', pdf: expect.anything() });
      expect(Buffer.from((await store.get(first.key)) ?? [])).toEqual(first.pdf);
      // And back: the same document is on record again.
      await putAway(db, store, first);
      for (const { key } of [first, second]) expect(await lookUp(store, key)).toMatchObject({ found: 'sound' });

      const lost = someDocument();
      await putAway(db, store, lost);
      await damage();
      await putAway(db, store, { pdf: lost.pdf, key: lost.key });
      expect(await lookUp(store, lost.key)).toMatchObject({ found: 'sound' });
    });

    it('is caught giving back other bytes', async () => {
      const { db, store, damage } = world();
      const document = someDocument();
      await putAway(db, store, document);
      await damage();
      expect(await lookUp(store, document.key)).toEqual({ found: 'damaged' });
    });
  });
}
