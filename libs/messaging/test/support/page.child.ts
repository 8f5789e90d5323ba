import { openDatabase } from '@tidegate/database/database';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { createLogger } from '@tidegate/telemetry/logger';
import { connectBroker } from '../../src/connection.js';
import { messagingFailpoints } from '../../src/messaging-failpoints.js';
import { Subscriber } from '../../src/subscriber.js';
import { paged } from './paged.js';

// A process with a projector of reconciliation, for tests that kill it. `poison`: the number that ends it, whichever way it comes.
const { nats, database, failpoint, poison } = JSON.parse(process.argv[2] ?? '{}') as {
  nats: string;
  database: string;
  failpoint?: string;
  poison?: number;
};
const logger = createLogger({ service: 'child', level: 'warn' });
const { db } = openDatabase<Record<string, never>>({ url: database, poolSize: 4, applicationName: 'page child' }, logger);
await new Subscriber({
  db,
  broker: await connectBroker({ servers: nats, name: 'reconciliation-child', logger }),
  failpoints: failpointsFrom(failpoint, messagingFailpoints('reconciliation'), logger),
  logger,
  clock: { now: () => new Date() },
  service: 'reconciliation',
  durable: 'reconciliation-payments',
  stream: 'PAYMENTS_EVENTS',
  timing: { gapAfterMs: 200, headCheckMs: 500, pollMs: 50, laneLeaseMs: 800, suspectPauseMs: 5, firstRetryMs: 50 },
  handler: {
    ...paged,
    handle: (tx, message, prepared) => {
      endBy([message.envelope.data]);
      return paged.handle(tx, message, prepared);
    },
    handleAll: (tx, messages) => {
      endBy(messages.map((message) => message.envelope.data));
      return paged.handleAll(tx, messages);
    },
  },
}).start();

function endBy(data: readonly unknown[]): void {
  if (data.some((one) => (one as { n: number }).n === poison)) process.kill(process.pid, 'SIGKILL');
}
