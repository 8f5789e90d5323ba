import { openDatabase } from '@tidegate/database/database';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { createLogger } from '@tidegate/telemetry/logger';
import { connectBroker } from '../../src/connection.js';
import { messagingFailpoints } from '../../src/messaging-failpoints.js';
import { ReplayRunner } from '../../src/replay/replay.flow.js';
import { totalsProjection } from './totals.js';

// A process that works on the replays of reconciliation, for tests that kill it.
const { nats, database, failpoint } = JSON.parse(process.argv[2] ?? '{}') as { nats: string; database: string; failpoint: string };
const logger = createLogger({ service: 'child', level: 'silent' });
const { db } = openDatabase<Record<string, never>>({ url: database, poolSize: 4, applicationName: 'replay child' }, logger);
const runner = new ReplayRunner({
  db,
  broker: await connectBroker({ servers: nats, name: 'reconciliation-child', logger }),
  logger,
  failpoints: failpointsFrom(failpoint, messagingFailpoints('reconciliation'), logger),
  clock: { now: () => new Date() },
  service: 'reconciliation',
  instance: `child-${process.pid}`,
  replayable: { projections: [totalsProjection()] },
});
await runner.runOnce({ stopping: new AbortController().signal, alive: () => undefined });
