import type { Projection } from '@tidegate/messaging/replay/projection';
import { sql } from 'kysely';
import { ledgerOwnEvents } from '../ledger/ledger.own-events.js';
import { paymentsProjector } from './payments.consumer.js';
import { CONSUMER as STRIPE_CONSUMER, stripeEventsReplay } from './stripe-events.consumer.js';

const create = sql`SELECT create_projection_tables()`;

/** What is derived from the streams, and in part from our own events, each with the durables that fill it. A replay reports no outcomes a second time. */
export const projections = (livemode: boolean): Projection[] => [
  {
    sources: [{ durable: 'reconciliation-payments', stream: 'PAYMENTS_EVENTS', handler: paymentsProjector }],
    tables: ['recorded_payments', 'recorded_refunds', 'ledger_payments', 'ledger_entries'],
    own: ledgerOwnEvents,
    create: sql`SELECT create_projection_tables(), create_ledger_tables()`,
  },
  {
    sources: [{ durable: STRIPE_CONSUMER, stream: 'STRIPE_EVENTS', handler: stripeEventsReplay(livemode) }],
    tables: ['stripe_objects'],
    create,
  },
];
