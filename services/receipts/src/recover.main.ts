import { text } from 'node:stream/consumers';
import { openDatabase } from '@tidegate/database/database';
import { connectBroker } from '@tidegate/messaging/connection';
import { createLogger } from '@tidegate/telemetry/logger';
import { publicUrlOf, receiptsConfig } from './config.js';
import { recoverReceipts, type Seller } from './recovery/recovery.flow.js';
import type { Tables } from './tables.js';

// After a restore and before the service starts: `tidegate restore load` gives `{ tenants, up_to, stream, operator }` on stdin and reads one JSON line.
const config = receiptsConfig();
const { tenants, up_to, stream, operator } = JSON.parse(await text(process.stdin)) as {
  tenants: Seller[];
  up_to: Record<string, number>;
  stream: boolean;
  operator: { actor: string; reason: string };
};
const logger = createLogger({ service: 'receipts', level: 'silent' });
const { db, close } = openDatabase<Tables>({ url: config.DATABASE_URL.value, poolSize: 2, applicationName: 'receipts recover' }, logger);
const broker = stream
  ? await connectBroker({ servers: config.NATS_URL.value, name: 'receipts-recover', service: 'receipts', logger })
  : null;
try {
  const recovered = await recoverReceipts({
    db,
    broker,
    logger,
    now: new Date(),
    numberFormat: config.RECEIPT_NUMBER_FORMAT,
    publicUrl: publicUrlOf(config),
    sellers: tenants,
    upTo: up_to,
    operator,
  });
  process.stdout.write(`${JSON.stringify(recovered)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await broker?.drain();
  await close();
}
