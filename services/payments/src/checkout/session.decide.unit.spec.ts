import { type CheckoutSession } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { describe, expect, it } from '@jest/globals';
import { decide } from './checkout.decide.js';
import { type CheckoutEvent, type CheckoutTerms, type Occurred } from './checkout.events.js';
import { replay } from './checkout.evolve.js';
import { type Checkout, callIdOf } from './checkout.state.js';
import { decideExpireAnswer, decideFound, decideNoPage, decideOpenAnswer, decideTruth, type Truth } from './session.decide.js';

const AT = '2026-11-21T06:00:00.000Z';
const NOW = new Date('2026-11-21T06:00:05.000Z');
const WINDOW = '2026-11-22T05:00:00.000Z';
const COMMAND = 'cmd_checkout_create_1';
const terms: CheckoutTerms = {
  checkout_id: 'cks_00000001',
  tenant: 'default',
  livemode: false,
  amount: 4200,
  currency: 'usd',
  customer: null,
  metadata: {},
};

const given = (...events: CheckoutEvent[]): Checkout => replay(events.map((event) => ({ ...event, at: AT }) as Occurred)) as Checkout;
const accepted: CheckoutEvent = {
  type: 'CheckoutAccepted',
  data: { terms, command_id: COMMAND, window_ends_at: WINDOW, expires_at: 1_795_323_600 },
};
const open: CheckoutEvent[] = [
  accepted,
  { type: 'SessionOpened', data: { stripe_session: 'cs_1', url: 'https://pay', expires_at: 1_795_323_600 } },
  { type: 'CommandCompleted', data: { command_id: COMMAND, rejection: null } },
];
const closing = (
  until: string | null,
  cause: 'requested' | 'window' | 'extension' = until ? 'extension' : 'requested',
): CheckoutEvent[] => [
  ...open,
  { type: 'CommandAccepted', data: { command_id: 'cmd_2' } },
  { type: 'ExpirySubmitted', data: { command_id: 'cmd_2', n: 1, stripe_session: 'cs_1', cause, until } },
];
const lost = (stored = false): CheckoutEvent => ({
  type: 'ExpiryAnswerMissing',
  data: { command_id: 'cmd_2', n: 1, cause: 'timeout', stored },
});
const session = (change: Partial<CheckoutSession> = {}): CheckoutSession => ({
  object: 'checkout.session',
  id: 'cs_1',
  status: 'open',
  payment_status: 'unpaid',
  url: 'https://pay',
  expires_at: 1_795_323_600,
  payment_intent: null,
  customer: null,
  amount_total: 4200,
  currency: 'usd',
  email: null,
  metadata: {},
  created: 1_795_240_800,
  livemode: false,
  ...change,
});
const truth = (status: CheckoutSession['status'], completedAt = AT, payment: Truth['payment'] = 'paid'): Truth => ({
  session: { id: 'cs_1', status, payment_intent: status === 'complete' ? 'pi_1' : null },
  payment,
  completedAt,
});
const types = (events: CheckoutEvent[] | null) => events?.map((event) => event.type);
const callOf = (checkout: Checkout): string => callIdOf(checkout) ?? '';

describe('The answer to the call that opens a page', () => {
  const checkout = given(accepted);
  it.each<[string, StripeOutcome<CheckoutSession>, string[]]>([
    ['a page', { kind: 'ok', value: session(), requestId: null }, ['SessionOpened', 'CommandCompleted']],
    ['no answer', { kind: 'unknown', cause: 'timeout', stored: false, message: '' }, ['SessionAnswerMissing']],
    ['a refusal', { kind: 'rejected', status: 400, code: 'x', param: null, message: '' }, ['SessionRejected', 'CommandCompleted']],
    ['a limit, which had no effect', { kind: 'limited', reason: 'x', retryAfterMs: 1, message: '' }, []],
    ['the open breaker, which had no effect', { kind: 'refused', retryAfterMs: 1 }, []],
  ])('is %s', (_, outcome, expected) => {
    expect(types(decideOpenAnswer(checkout, callOf(checkout), outcome))).toEqual(expected);
  });
  it('that comes when another call stands there says nothing', () => {
    expect(decideOpenAnswer(given(...open), callOf(checkout), { kind: 'ok', value: session({ id: 'cs_2' }), requestId: null })).toBeNull();
  });
});

describe('A page that is looked for', () => {
  const missing = (stored: boolean) =>
    given(accepted, { type: 'SessionAnswerMissing', data: { command_id: COMMAND, n: 1, cause: 'timeout', stored } });
  it('and found is the page', () => {
    expect(types(decideFound(missing(false), [session()], NOW))).toEqual(['SessionOpened', 'CommandCompleted']);
  });
  it.each([
    [false, 1],
    [true, 2],
  ])('and not found is asked for again: with a stored error %s under key %i', (stored, n) => {
    expect(decideFound(missing(stored), [], NOW)).toMatchObject([{ type: 'SessionSubmitted', data: { command_id: COMMAND, n } }]);
  });
  it('and found expired takes another key, because that one would give the same page', () => {
    expect(decideFound(missing(false), [session({ status: 'expired' })], NOW)).toMatchObject([{ data: { n: 2 } }]);
  });
  it('after the end of the window is not asked for any more', () => {
    expect(types(decideNoPage(missing(false), new Date(WINDOW)))).toEqual(['SessionNotOpened', 'CommandCompleted']);
  });
});

describe('The answer to the call that closes a page', () => {
  it('when Stripe refuses it, never means expired: Stripe is asked how the page stands', () => {
    const checkout = given(...closing(null));
    const refused = { kind: 'rejected', status: 400, code: 'x', param: null, message: '' } as const;
    expect(types(decideExpireAnswer(checkout, callOf(checkout), refused, NOW))).toEqual(['ExpiryAnswerMissing']);
    const unknown = { kind: 'not_found', param: null, message: '' } as const;
    expect(types(decideExpireAnswer(checkout, callOf(checkout), unknown, NOW))).toEqual(['ExpiryAnswerMissing']);
  });
});

describe('What Stripe shows of the page', () => {
  it('complete wins over whatever was asked for, and the one who asked is refused', () => {
    for (const checkout of [given(...open), given(...closing(null), lost()), given(...closing('2026-11-22T06:00:00.000Z'))])
      expect(types(decideTruth(checkout, truth('complete'), NOW, 'accept'))?.[0]).toBe('CheckoutCompleted');
    const asked = decideTruth(given(...closing(null), lost()), truth('complete'), NOW, 'accept');
    expect(asked?.[1]).toMatchObject({
      type: 'CommandCompleted',
      data: { command_id: 'cmd_2', rejection: { code: 'payments.illegal_state' } },
    });
  });

  it.each([
    ['in time', AT, null],
    ['at the very end', WINDOW, null],
    ['after the end of the window', '2026-11-22T05:00:01.000Z', 'hold'],
  ])('and paid %s is judged by when it was paid', (_, completedAt, late) => {
    expect(decideTruth(given(...open), truth('complete', completedAt), NOW, 'hold')).toMatchObject([{ data: { late } }]);
  });

  it('complete after we had called it expired is late, whatever the time', () => {
    const expired = given(
      ...closing(null),
      { type: 'SessionExpired', data: { stripe_session: 'cs_1', cause: 'requested' } },
      { type: 'CommandCompleted', data: { command_id: 'cmd_2', rejection: null } },
    );
    expect(decideTruth(expired, truth('complete'), NOW, 'refund')).toMatchObject([{ type: 'CheckoutCompleted', data: { late: 'refund' } }]);
  });

  it('expired opens a fresh page only where one was asked for', () => {
    expect(types(decideTruth(given(...closing(null)), truth('expired'), NOW, 'accept'))).toEqual(['SessionExpired', 'CommandCompleted']);
    const until = '2026-11-22T06:00:00.000Z';
    expect(types(decideTruth(given(...closing(until)), truth('expired'), NOW, 'accept'))).toEqual(['SessionExpired', 'WindowExtended']);
  });

  it('still open is asked to close again: same key, or the next when Stripe keeps an error under it', () => {
    expect(decideTruth(given(...closing(null), lost()), truth('open'), NOW, 'accept')).toMatchObject([{ data: { n: 1 } }]);
    expect(decideTruth(given(...closing(null), lost(true)), truth('open'), NOW, 'accept')).toMatchObject([{ data: { n: 2 } }]);
    expect(decideTruth(given(...open), truth('open'), NOW, 'accept')).toEqual([]);
  });

  it('of another page says nothing about this one', () => {
    expect(
      decideTruth(given(...open), { ...truth('complete'), session: { ...truth('complete').session, id: 'cs_0' } }, NOW, 'accept'),
    ).toBeNull();
  });

  it('settles a delayed payment once', () => {
    const awaited = given(...open, ...(decideTruth(given(...open), truth('complete', AT, 'awaited'), NOW, 'accept') ?? []));
    expect(decideTruth(awaited, truth('complete', AT, 'failed'), NOW, 'accept')).toEqual([
      { type: 'PaymentSettled', data: { payment: 'failed' } },
    ]);
    const settled = given(...open, ...(decideTruth(given(...open), truth('complete'), NOW, 'accept') ?? []));
    expect(decideTruth(settled, truth('complete', AT, 'failed'), NOW, 'accept')).toEqual([]);
  });
});

describe('A command', () => {
  it('waits while a call has no certain outcome', () => {
    for (const state of [given(accepted), given(...closing(null))])
      expect(decide(state, { type: 'ExpireCheckout', command_id: 'cmd_3' }, NOW)).toEqual({ kind: 'busy' });
  });
  it('that extends closes the page first, and opens nothing in the same breath', () => {
    const decision = decide(given(...open), { type: 'ExtendWindow', command_id: 'cmd_3', until: '2026-11-22T06:00:00.000Z' }, NOW);
    expect(decision.kind === 'accepted' && types(decision.events)).toEqual(['CommandAccepted', 'ExpirySubmitted']);
  });
});
