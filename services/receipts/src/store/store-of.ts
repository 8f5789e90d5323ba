import type { Kysely } from 'kysely';
import type { ReceiptsConfig } from '../config.js';
import type { Tables } from '../tables.js';
import type { DocumentStore } from './document-store.port.js';
import { postgresStore } from './postgres.store.js';

/** The store that the settings name. What speaks S3 is loaded only where it is used: it is larger than the rest of the service. */
export async function storeOf(
  config: Pick<ReceiptsConfig, 'RECEIPT_STORE' | 'RECEIPT_S3_ENDPOINT'>,
  db: Kysely<Tables>,
): Promise<DocumentStore> {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(config.RECEIPT_STORE) ?? [];
  if (bucket === undefined) return postgresStore(db);
  const { s3Store } = await import('./s3.store.js');
  return s3Store({ bucket, prefix: prefix.replace(/\/+$/, ''), endpoint: config.RECEIPT_S3_ENDPOINT ?? null });
}
