import type { Broker } from '@tidegate/messaging/connection';
import { rebuild, type Rebuilt } from '@tidegate/messaging/rebuild';
import type { Logger } from '@tidegate/telemetry/logger';
import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { PROJECTION_TABLES } from './checksum.js';
import { paymentsProjector } from './payments.consumer.js';
import { stripeEventsReplay } from './stripe-events.consumer.js';

export interface RebuildParts {
  db: Kysely<ReconciliationTables>;
  broker: Broker;
  logger: Logger;
  livemode: boolean;
}

/**
 * Fills the projection anew from both streams, in a new generation beside the live one, and changes over in one transaction. Makes tables that were
 * dropped. The service may run meanwhile; outcomes are not reported a second time. Throws, and changes nothing, when an owner is away.
 */
export async function rebuildProjection({ db, broker, logger, livemode }: RebuildParts): Promise<Rebuilt> {
  await sql`SELECT create_projection_tables()`.execute(db);
  return rebuild({
    db,
    broker,
    logger,
    service: 'reconciliation',
    sources: [
      { durable: 'reconciliation-payments', stream: 'PAYMENTS_EVENTS', handler: paymentsProjector },
      { durable: 'reconciliation-stripe-events', stream: 'STRIPE_EVENTS', handler: stripeEventsReplay(livemode) },
    ],
    into: Object.keys(PROJECTION_TABLES),
  });
}
