import type { Replayable } from '@tidegate/messaging/replay/projection';
import { ReceiptsConsumer } from './receipts/receipts.consumer.js';
import { CONSUMER as STRIPE_CONSUMER } from './stripe-events/stripe-events.consumer.js';

/** What operators may have replayed from the streams. */
export const replayable: Replayable = {
  projections: [
    {
      sources: [{ durable: 'payments-receipts', stream: 'RECEIPTS_EVENTS', handler: new ReceiptsConsumer() }],
      tables: ['payment_receipts'],
    },
  ],
  refused: {
    [STRIPE_CONSUMER]: `${STRIPE_CONSUMER} fills no projection: what it makes of Stripe's news are the payments' own events. Have single events handled again by \`tidegate webhooks replay\`.`,
  },
};
