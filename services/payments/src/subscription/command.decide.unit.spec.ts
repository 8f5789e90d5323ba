import { describe, expect, it } from '@jest/globals';
import { type Subscription } from '@tidegate/stripe-gateway/billing';
import { again, type Command, decideAnswer, decideFound, decideUnseen, ended, isDoubtful, isExpired, wanting } from './command.decide.js';

const NOW = new Date('2026-11-22T06:00:00.000Z');
const HOUR_MS = 3_600_000;
const inHours = (hours: number): Date => new Date(NOW.getTime() + hours * HOUR_MS);

type Change = Extract<Command, { kind: 'change' }>;
const calling = {
  id: 'sbc_1',
  command_id: 'cmd_1',
  tenant: 'default',
  invoice: null,
  state: 'open',
  step: 'call',
  params: null,
  call_n: 1,
  call_since: NOW,
  call_answer: 'awaited',
  call_stored: false,
  absent_since: null,
  version: 1,
  created_at: NOW,
} as const;
const change = (request: Change['request']): Change => ({ ...calling, kind: 'change', subscription: 'sub_1', request });
const create: Command = { ...calling, kind: 'create', subscription: null, request: { customer: 'cus_1', items: [{ price: 'a' }] } };

const subscription = (over: Partial<Subscription> = {}): Subscription => ({
  object: 'subscription',
  id: 'sub_1',
  status: 'active',
  customer: 'cus_1',
  currency: 'usd',
  items: [
    { id: 'si_a', price: 'a', quantity: 1 },
    { id: 'si_b', price: 'b', quantity: 2 },
  ],
  current_period_start: null,
  current_period_end: null,
  collection_method: 'charge_automatically',
  latest_invoice: 'in_1',
  pending_setup_intent: null,
  trial_end: null,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  cancellation_reason: null,
  ended_at: null,
  paused: false,
  thresholds: false,
  metadata: {},
  created: 1_795_000_000,
  livemode: false,
  ...over,
});

describe('What a change sends', () => {
  it.each<[string, Change['request'], object | null]>([
    ['nothing when all is as asked for', { items: [{ price: 'b', quantity: 2 }, { price: 'a' }], cancel_at_period_end: false }, null],
    [
      'what is new without an id, what goes by its id',
      { items: [{ price: 'a' }, { price: 'c' }] },
      { items: [{ price: 'c' }, { id: 'si_b', deleted: true }] },
    ],
    [
      'another quantity by the id of the item',
      { items: [{ price: 'a', quantity: 5 }, { price: 'b' }], proration: 'none' },
      { items: [{ id: 'si_a', quantity: 5 }], proration: 'none' },
    ],
    ['a payment method always, because it does not show', { payment_method: 'pm_1' }, { paymentMethod: 'pm_1' }],
    ['a cancellation that is planned', { cancel_at_period_end: true }, { cancelAtPeriodEnd: true }],
  ])('is %s', (_, request, params) => expect(wanting(change(request), subscription())).toEqual(params));
});

/** The window is a day. */
const at = (now: Date) => ({ now, windowMs: 86_400_000 });

describe('A create without an answer', () => {
  it('is what the list shows of it, the oldest one, and the others are orphans', () => {
    const all = [subscription({ id: 'sub_3', created: 1_795_000_009 }), subscription({ id: 'sub_2' })];
    expect(decideFound(create, all, at(NOW))).toMatchObject({
      step: { subscription: 'sub_2', invoice: 'in_1', step: 'pay' },
      orphans: ['sub_3'],
    });
  });

  it('is one that is not over, also when an older one is', () => {
    const all = [subscription({ id: 'sub_2', status: 'incomplete_expired' }), subscription({ id: 'sub_3', created: 1_795_000_009 })];
    expect(decideFound(create, all, at(NOW))).toMatchObject({ step: { subscription: 'sub_3' }, orphans: ['sub_2'] });
    expect(decideFound(create, all.slice(0, 1), at(NOW))).toMatchObject({ step: { subscription: 'sub_2' }, orphans: [] });
  });

  it('goes out again under the same key, and under the next one when Stripe will never say anything else', () => {
    expect(decideFound(create, [], at(inHours(22))).step).toEqual({
      call_answer: 'awaited',
      call_stored: false,
      absent_since: inHours(22),
    });
    expect(decideFound({ ...create, call_stored: true }, [], at(inHours(1))).step).toMatchObject({ call_n: 2, call_since: inHours(1) });
    expect(again(create, inHours(23))).toMatchObject({ call_n: 2 });
  });

  it('goes out no more after its time, whichever that is; one that made something goes on', () => {
    expect(decideFound(create, [], at(inHours(24))).step).toEqual(ended);
    const own: Command = { ...create, kind: 'create', request: { ...create.request, not_after: inHours(2).toISOString() } };
    expect([isExpired(own, at(inHours(1))), isExpired(own, at(inHours(2))), isExpired(create, at(inHours(2)))]).toEqual([
      false,
      true,
      false,
    ]);
    expect(isExpired({ ...own, step: 'pay' }, at(inHours(2)))).toBe(false);
    expect(isExpired(change({}), at(inHours(48)))).toBe(false);
    expect(decideFound(own, [subscription()], at(inHours(48))).step).toMatchObject({ subscription: 'sub_1', step: 'pay' });
  });

  it('is not certain, whatever the error', () => {
    const unknown = { kind: 'unknown', cause: 'server_error', stored: true, message: 'no' } as const;
    expect(decideAnswer(create, unknown, NOW)).toEqual({ call_answer: 'missing', call_stored: true });
    expect(decideAnswer(create, { kind: 'refused', retryAfterMs: 1 }, NOW)).toBeNull();
  });
});

describe('A call that is to be made', () => {
  const sent: Command = { ...change({}), params: { cancelAtPeriodEnd: true } };
  it.each<[string, Command, number, boolean]>([
    ['is just made', create, 0, false],
    ['is looked for when its answer is missing', { ...create, call_answer: 'missing' }, 0, true],
    ['is looked for when its key protects no longer', create, 23, true],
    ['is looked for, likewise, when it changes something', sent, 23, true],
    ['is just made before it was committed what it sends', change({}), 23, false],
  ])('%s', (_, command, hours, doubtful) => expect(isDoubtful(command, inHours(hours))).toBe(doubtful));
});

describe('A change whose effect is not seen', () => {
  const left = { items: [{ price: 'c' }] };
  const rules = (hours: number) => ({ now: inHours(hours), absenceMs: HOUR_MS });

  it('is sent again under its key while that protects', () => {
    expect(decideUnseen(change({}), left, rules(1))).toEqual({ step: { call_answer: 'awaited', call_stored: false }, waitUntil: null });
  });

  it('is not sent under another key before its effect was absent for long enough', () => {
    const stored = { ...change({}), call_stored: true };
    expect(decideUnseen(stored, left, rules(1))).toEqual({ step: { absent_since: inHours(1) }, waitUntil: inHours(2) });
    const waiting = { ...stored, absent_since: inHours(1) };
    expect(decideUnseen(waiting, left, rules(1.5))).toMatchObject({ waitUntil: inHours(2) });
    expect(decideUnseen(waiting, left, rules(2))).toMatchObject({ step: { call_n: 2, params: left, absent_since: null }, waitUntil: null });
  });
});
