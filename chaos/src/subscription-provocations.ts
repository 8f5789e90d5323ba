import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { type Provocation } from './provocation.js';

/** What must happen before these failpoints of subscriptions and invoices are reached. */
export const SUBSCRIPTION_PROVOCATIONS: readonly [RegExp, Provocation][] = [[/^payments\.billing\./, readAnUnpaidSubscription]];

/** Longer than it is between two looks that readers cause. */
const READ_AFTER_SECONDS = 10;

/** Somebody subscribes at Stripe and does not get through authentication; then we are asked how it stands. */
async function readAnUnpaidSubscription(arena: Arena): Promise<void> {
  const method = 'pm_card_threeDSecure2Required';
  const form = { 'metadata[tenant_id]': 'default', payment_method: method, 'invoice_settings[default_payment_method]': method };
  const { id: customer } = await arena.atStripe('/v1/customers', form);
  const plan = { currency: 'usd', unit_amount: '3000', 'recurring[interval]': 'month', 'product_data[name]': 'Plan' };
  const { id: price } = await arena.atStripe('/v1/prices', plan);
  const { id } = await arena.atStripe('/v1/subscriptions', { customer, 'items[0][price]': price });
  await eventually(
    async () => {
      if ((await arena.sql('SELECT FROM payments.subscriptions WHERE id = $1', [id])).length === 0) throw new Error('Not told yet');
    },
    { timeoutMs: 20_000 },
  );
  await arena.advance(READ_AFTER_SECONDS);
  // The service hears of the time by and by.
  await eventually(async () => {
    await arena.client.get(`/v1/subscriptions/${id}`);
    const looks = await arena.sql('SELECT FROM payments.events WHERE stream = $1', [`subscription:${id}`]);
    if (looks.length < 2) throw new Error('Not asked yet');
  });
}
