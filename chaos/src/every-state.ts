import type { CheckoutView, PaymentView } from '@tidegate/contracts/responses';
import { type Arena } from './arena.js';
import { type Random } from './seed.js';

const CHECKOUT = {
  line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
  currency: 'usd',
  success_url: 'https://shop.example/thanks',
  cancel_url: 'https://shop.example/cart',
};

/** How a payment or a checkout comes into each state that it can rest in, and stays there. */
const STATES: Readonly<Record<string, (arena: Arena, keys: () => string) => Promise<unknown>>> = {
  succeeded: (arena, keys) => pay(arena, keys),
  authorized: (arena, keys) => pay(arena, keys, { capture_method: 'manual' }),
  requires_payment_method: (arena, keys) => pay(arena, keys, { payment_method: 'pm_card_chargeDeclined' }),
  unconfirmed: (arena, keys) => pay(arena, keys, { payment_method: undefined, confirm: false }),
  requires_action: (arena, keys) =>
    pay(arena, keys, { payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' }),
  captured_in_part: async (arena, keys) =>
    act(arena, keys, await pay(arena, keys, { capture_method: 'manual' }), 'capture', { amount: 700 }),
  canceled: async (arena, keys) => act(arena, keys, await pay(arena, keys, { capture_method: 'manual' }), 'cancel', {}),
  refunded: async (arena, keys) => act(arena, keys, await pay(arena, keys), 'refunds', {}),
  refunded_in_part: async (arena, keys) => act(arena, keys, await pay(arena, keys), 'refunds', { amount: 700 }),
  disputed: async (arena, keys) => {
    const { stripe_payment_intent: payment_intent } = await pay(arena, keys);
    await arena.dashboard('dispute', { payment_intent });
  },
  page_open: (arena, keys) => open(arena, keys),
  page_expired: async (arena, keys) => {
    const { id } = await open(arena, keys);
    await posted(arena, keys, `/v1/checkout-sessions/${id}/expire`, {});
  },
  page_paid: async (arena, keys) => {
    const { stripe_checkout_session: session } = await open(arena, keys);
    await arena.dashboard('pay_checkout', { session });
  },
};
export const STATE_NAMES = Object.keys(STATES);

/** Makes `count` payments and checkouts, as many in each state, `AT_ONCE` at a time. */
export async function makeEveryState(arena: Arena, random: Random, count: number, say: (line: string) => void): Promise<void> {
  const run = random.below(2 ** 31);
  let made = 0;
  let named = 0;
  const worker = async (): Promise<void> => {
    while (made < count) {
      const nth = (made += 1);
      if (nth % 1_000 === 0) say(`  ${nth}/${count}`);
      await STATES[STATE_NAMES[nth % STATE_NAMES.length]!]!(arena, () => `every-${run}x${(named += 1)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const AT_ONCE = 16;

async function posted<T>(arena: Arena, keys: () => string, path: string, body: object): Promise<T> {
  const answer = await arena.client.send({ method: 'POST', path, body, key: keys() });
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body) as T;
}

const pay = (arena: Arena, keys: () => string, body: object = {}): Promise<PaymentView> =>
  posted(arena, keys, '/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa', ...body });

const act = (arena: Arena, keys: () => string, { id }: PaymentView, verb: string, body: object): Promise<unknown> =>
  posted(arena, keys, `/v1/payments/${id}/${verb}`, body);

const open = (arena: Arena, keys: () => string): Promise<CheckoutView> => posted(arena, keys, '/v1/checkout-sessions', CHECKOUT);
