import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type FaultName, HTTP_FAULTS, LATE_FAULTS, WEBHOOK_FAULTS } from '../src/faults/fault.js';
import { type Given, PAY, type Received, SECRET, control, errorOf, eventually, givenSimulator, sdk } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

/** Everything that goes wrong between Stripe and its users, and the faults that bring it about. */
const MENU: Readonly<Record<string, readonly FaultName[]>> = {
  'refused connections, an outage': ['refuse'],
  'accepted and never answered': ['hang', 'late_effect'],
  'reset before processing': ['reset_before'],
  'processed, then reset before the headers': ['reset_after'],
  'processed, then cut in the body': ['cut_body'],
  '500 before the effect': ['error_500_before'],
  '500 after the effect': ['error_500_after', 'error_500_late'],
  'a proxy that answers 502 in HTML, or 503': ['error_502_html', 'error_503'],
  '429 of the rate limiter': ['rate_limit'],
  '429 of an object lock': ['lock_timeout'],
  'an expired API key': ['auth_expired'],
  'a key without the permission': ['forbidden'],
  'an idempotency key in use': ['key_in_use'],
  'a slow success': ['slow'],
  'deliveries lost, late, repeated, disordered, doubled, badly signed, or to nobody': [
    ...(['webhook_drop', 'webhook_delay', 'webhook_duplicate', 'webhook_reorder', 'webhook_two_events'] as const),
    ...(['webhook_bad_signature', 'webhook_two_signatures', 'webhook_disable'] as const),
  ],
  'the truth that comes late': ['late_balance', 'late_failure', 'late_dispute'],
  'lists that lag, or miss an event': ['list_lag', 'event_unlisted'],
  'a clock that is off': ['webhook_skew'],
};

describe('The menu of faults', () => {
  it('is what the simulator has', () => {
    expect(Object.values(MENU).flat().sort()).toEqual([...HTTP_FAULTS, ...WEBHOOK_FAULTS, ...LATE_FAULTS].sort());
  });

  it.each(Object.values(MENU).flat())('arms %s over HTTP and from code, and counts it', async (fault) => {
    const route = fault === 'refuse' ? { route: 'GET /v1/nothing' } : {};
    expect((await control(given.simulator, 'POST', '/__faults', { fault, ...route })).value).toMatchObject({ fault, matched: 0, hits: 0 });
    expect(given.simulator.addFault({ fault, ...route })).toMatchObject({ fault, matched: 0, hits: 0 });
    const { value } = await control(given.simulator, 'GET', '/__faults');
    expect((value as { faults: object[] }).faults).toMatchObject([
      { fault, hits: 0 },
      { fault, hits: 0 },
    ]);
    await control(given.simulator, 'DELETE', '/__faults');
  });
});

describe('A fault by chance', () => {
  it('hits the same requests for the same seed, over HTTP and from code, and others for another', async () => {
    const hits = async (arm: (seed: number) => unknown, seed: number): Promise<string> => {
      given.simulator.clearFaults();
      await arm(seed);
      const seen: string[] = [];
      for (let call = 0; call < 24; call += 1) {
        seen.push(
          await stripe.customers.list().then(
            () => '.',
            () => 'x',
          ),
        );
      }
      return seen.join('');
    };
    const spec = { fault: 'error_503', route: 'GET /v1/customers', probability: 0.5 } as const;
    const fromCode = (seed: number): unknown => given.simulator.addFault({ ...spec, seed });
    const overHttp = (seed: number): unknown => control(given.simulator, 'POST', '/__faults', { ...spec, seed });
    const first = await hits(fromCode, 7);
    expect(await hits(overHttp, 7)).toBe(first);
    expect(await hits(fromCode, 8)).not.toBe(first);
    const counted = given.simulator.world.faults.list()[0]!;
    expect([counted.matched, counted.hits > 0 && counted.hits < 24]).toEqual([24, true]);
  });
});

describe('What the SDK reports', () => {
  const verify = ({ body, headers }: Received): Error | undefined => {
    try {
      stripe.webhooks.constructEvent(body, headers['stripe-signature'] as string, SECRET);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };
  const delivered = async (): Promise<Received> => {
    await stripe.customers.create({});
    return eventually(() => given.receiver.received[0]);
  };

  it.each([
    ['webhook_bad_signature', 'No signatures found matching the expected signature for payload'],
    ['webhook_skew', 'Timestamp outside the tolerance zone'],
  ] as const)('of %s is a StripeSignatureVerificationError', async (fault, message) => {
    given.simulator.addFault({ fault });
    const error = verify(await delivered());
    expect(error).toMatchObject({ type: 'StripeSignatureVerificationError' });
    expect(error?.message).toContain(message);
  });

  it.each(['webhook_two_signatures', 'webhook_duplicate', 'webhook_two_events', 'webhook_delay', 'webhook_reorder'] as const)(
    'of %s is nothing',
    async (fault) => {
      given.simulator.addFault({ fault, ms: 20 });
      expect(verify(await delivered())).toBeUndefined();
    },
  );

  it('of a clock that runs ahead is nothing: only the past is refused', async () => {
    given.simulator.addFault({ fault: 'webhook_skew', ms: 600_000 });
    expect(verify(await delivered())).toBeUndefined();
  });

  it('of a refused connection is a StripeConnectionError after three attempts', async () => {
    given.simulator.refuse(60_000);
    await eventually(() =>
      fetch(given.simulator.url).then(
        () => false,
        () => true,
      ),
    );
    const error = await errorOf(sdk(given.simulator, { maxNetworkRetries: 2 }).customers.list());
    expect(error.type).toBe('StripeConnectionError');
    expect(error.message).toContain('retried 2 times');
  }, 20_000);
});

describe('A dispute that comes late', () => {
  it('is opened by a fault, after the time it says, for the request it names', async () => {
    given.simulator.addFault({ fault: 'late_dispute', ms: 3_600_000, route: 'POST /v1/payment_intents' });
    const intent = await stripe.paymentIntents.create({ ...PAY, expand: ['latest_charge'] });
    const other = await stripe.paymentIntents.create(PAY);
    expect((await stripe.disputes.list()).data).toEqual([]);
    given.simulator.advanceClock(3_601);
    expect((await stripe.disputes.list()).data).toMatchObject([
      { payment_intent: intent.id, reason: 'fraudulent', status: 'needs_response', amount: 2_000 },
    ]);
    expect((await stripe.charges.list({ payment_intent: other.id })).data[0]!.disputed).toBe(false);
    await eventually(() => given.receiver.received.some(({ event }) => event.type === 'charge.dispute.created'));
  });
});
