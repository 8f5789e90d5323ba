import { openDatabase } from '@tidegate/database/database';
import { connectBroker } from '@tidegate/messaging/connection';
import { createLogger } from '@tidegate/telemetry/logger';
import { isLivemode, readReconciliationConfig } from './config.js';
import { projectionChecksums } from './projection/checksum.js';
import { rebuildProjection } from './projection/rebuild.js';
import { rebuildRuns } from './run/run.rebuild.js';
import type { ReconciliationTables } from './tables.js';

// Fills every derived table of the service anew; the service may run meanwhile. Prints one JSON line. With `--checksums` it fills nothing and prints what the tables have.
const config = readReconciliationConfig();
const logger = createLogger({ service: 'reconciliation', level: config.LOG_LEVEL });
const { db, close } = openDatabase<ReconciliationTables>(
  { url: config.DATABASE_URL.value, poolSize: 2, applicationName: 'reconciliation rebuild' },
  logger,
);
const broker = await connectBroker({ servers: config.NATS_URL.value, name: 'reconciliation-rebuild', logger });
try {
  const made = process.argv.includes('--checksums') ? {} : await rebuilt();
  process.stdout.write(`${JSON.stringify({ rebuilt: 'reconciliation', ...made, checksums: await projectionChecksums(db) })}\n`);
} finally {
  await broker.drain();
  await close();
}

async function rebuilt(): Promise<object> {
  const { sources } = await rebuildProjection({ db, broker, logger, livemode: isLivemode(config) });
  return { sources, run_events: await rebuildRuns(db) };
}
