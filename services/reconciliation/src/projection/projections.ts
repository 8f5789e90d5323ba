import type { Projection } from '@tidegate/messaging/replay/projection';
import { sql } from 'kysely';
import { ledgerOwnEvents } from '../ledger/ledger.own-events.js';
import { paymentsProjector } from './payments.consumer.js';
import { receiptsProjector } from './receipts.consumer.js';
import { CONSUMER as STRIPE_CONSUMER, stripeEventsReplay } from './stripe-events.consumer.js';

const create = sql`SELECT create_projection_tables(), create_compare_tables()`;

/** What is derived from the streams, and in part from our own events, each with the durables that fill it. A replay reports no outcomes a second time. */
export const projections = (livemode: boolean): Projection[] => [
  {
    sources: [{ durable: 'reconciliation-payments', stream: 'PAYMENTS_EVENTS', handler: paymentsProjector }],
    tables: [
      'recorded_payments',
      'recorded_refunds',
      'recorded_disputes',
      'recorded_checkouts',
      'recorded_subscriptions',
      'recorded_invoices',
      'ledger_payments',
      'ledger_entries',
    ],
    lookups: ['ledger_entries_of_payment'],
    own: ledgerOwnEvents,
    create: sql`SELECT create_projection_tables(), create_compare_tables(), create_billing_tables(), create_ledger_tables(), index_parts_of_payments()`,
  },
  {
    sources: [{ durable: STRIPE_CONSUMER, stream: 'STRIPE_EVENTS', handler: stripeEventsReplay(livemode) }],
    tables: ['stripe_objects'],
    lookups: [],
    create,
  },
  {
    sources: [{ durable: 'reconciliation-receipts', stream: 'RECEIPTS_EVENTS', handler: receiptsProjector }],
    tables: ['recorded_receipts'],
    lookups: [],
    create,
  },
];
