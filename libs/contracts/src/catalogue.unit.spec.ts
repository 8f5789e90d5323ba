import { describe, expect, it } from '@jest/globals';
import { CATALOGUE } from './catalogue.js';
import { CHECKOUT_FACTS, checkoutEvents, type CheckoutFact, checkoutSubject } from './events/checkout.js';
import { PROBLEMS } from './problem.js';
import { CreatePaymentBody, RESERVED_METADATA_KEYS } from './requests.js';
import { factOf, STREAM_OF_OWNER, SUBJECT_PREFIX_OF_OWNER } from './subjects.js';

describe('The catalogue of messages', () => {
  it.each(CATALOGUE.map((c) => [c.subject, c] as const))('%s accepts its own example', (_subject, contract) => {
    expect(contract.data.parse(contract.example)).toEqual(contract.example);
  });

  it('names each subject once', () => {
    const subjects = CATALOGUE.map((c) => c.subject);
    expect(new Set(subjects).size).toBe(subjects.length);
  });

  it.each(CATALOGUE.map((c) => c.subject))('%s is captured by the stream of exactly one owner', (subject) => {
    const owners = Object.entries(SUBJECT_PREFIX_OF_OWNER).filter(([, prefix]) => subject.startsWith(`${prefix}.`));
    expect(owners).toHaveLength(1);
    expect(STREAM_OF_OWNER[owners[0]![0] as keyof typeof STREAM_OF_OWNER]).toMatch(/_EVENTS$/);
  });

  it('refuses an example with a field removed', () => {
    for (const { data, example } of CATALOGUE) {
      const [first] = Object.keys(example as object);
      const broken = Object.fromEntries(Object.entries(example as object).filter(([name]) => name !== first));
      expect(data.safeParse(broken).success).toBe(false);
    }
  });
});

describe('The contract of a checkout', () => {
  it.each(['completed', 'payment_succeeded', 'late_success', 'late_accepted'] as CheckoutFact[])('says at %s when to fulfil', (fact) => {
    expect(CHECKOUT_FACTS[fact]).toContain('Fulfil only when `payment_status` is `paid` and `late_success` is null or `accepted`');
  });

  it('shows a late success whose money is still awaited', () => {
    const example = checkoutEvents.find(({ subject }) => subject === checkoutSubject('late_success'))?.example;
    expect(example).toMatchObject({ payment_status: 'awaited', late_success: 'accepted' });
  });
});

describe('A subject', () => {
  it('gives its fact without owner and version', () => {
    expect(factOf('payments.events.payment.succeeded.v1')).toBe('payment.succeeded');
  });
});

describe('The body of POST /v1/payments', () => {
  const body = { amount: 4200, currency: 'usd' };

  it('needs only amount and currency', () => {
    expect(CreatePaymentBody.parse(body)).toEqual(body);
  });

  it.each([
    ['an unknown field', { ...body, amont: 1 }],
    ['a negative amount', { ...body, amount: -1 }],
    ['zero', { ...body, amount: 0 }],
    ['a fraction', { ...body, amount: 10.5 }],
    ['an amount beyond twelve digits', { ...body, amount: 1_000_000_000_000 }],
    ['an upper-case currency', { ...body, currency: 'USD' }],
    ['a payment method without confirming', { ...body, confirm: false, payment_method: 'pm_card_visa' }],
    ...RESERVED_METADATA_KEYS.map((key) => [`the reserved metadata key ${key}`, { ...body, metadata: { [key]: 'x' } }] as const),
  ])('refuses %s', (_what, refused) => {
    expect(CreatePaymentBody.safeParse(refused).success).toBe(false);
  });
});

describe('Problem codes', () => {
  it('each have an HTTP error status', () => {
    for (const { status } of Object.values(PROBLEMS)) expect(status).toBeGreaterThanOrEqual(400);
  });
});
