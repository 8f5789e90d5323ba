import { openDatabase } from '@tidegate/database/database';
import { connectBroker } from '@tidegate/messaging/connection';
import { createLogger } from '@tidegate/telemetry/logger';
import { receiptsConfig } from './config.js';
import { checksumOfReceipts, replayAndRebuild } from './receipt/receipt.rebuild.js';
import type { Tables } from './tables.js';

// Replays the events of payments and fills the projection anew; the service may run meanwhile. Prints one JSON line.
const config = receiptsConfig();
const logger = createLogger({ service: 'receipts', level: 'silent' });
const { db, close } = openDatabase<Tables>({ url: config.DATABASE_URL.value, poolSize: 4, applicationName: 'receipts rebuild' }, logger);
const broker = await connectBroker({ servers: config.NATS_URL.value, name: 'receipts-rebuild', logger });
try {
  const done = await replayAndRebuild({ db, broker, logger });
  process.stdout.write(`${JSON.stringify({ rebuilt: 'receipts', ...done, checksum: await checksumOfReceipts(db) })}\n`);
} finally {
  await broker.drain();
  await close();
}
