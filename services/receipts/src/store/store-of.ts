import type { Kysely } from 'kysely';
import type { ReceiptsConfig } from '../config.js';
import type { Tables } from '../tables.js';
import type { DocumentStore } from './document-store.port.js';
import { postgresStore } from './postgres.store.js';
import { s3Store } from './s3.store.js';

/** The store that the settings name. */
export async function storeOf(
  config: Pick<ReceiptsConfig, 'RECEIPT_STORE' | 'RECEIPT_S3_ENDPOINT'>,
  db: Kysely<Tables>,
): Promise<DocumentStore> {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(config.RECEIPT_STORE) ?? [];
  if (bucket === undefined) return postgresStore(db);
  return s3Store({ bucket, prefix: prefix.replace(/\/+$/, ''), endpoint: config.RECEIPT_S3_ENDPOINT ?? null });
}
