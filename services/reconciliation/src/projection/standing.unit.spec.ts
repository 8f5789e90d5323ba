import { describe, expect, it } from '@jest/globals';
import { exampleStripeEvent, type StripeObject } from '@tidegate/contracts/events/stripe-event';
import fc from 'fast-check';
import { amountsOf, standingOf } from './standing.decide.js';

type Snapshot = { object: StripeObject; asOf: number; event: string };

const snapshot = (kind: string, status: string, asOf: number, event: string, changes: object = {}): Snapshot => ({
  object: { ...exampleStripeEvent.object, object: kind, status, ...changes } as StripeObject,
  asOf,
  event,
});

const order = ({ object, asOf, event }: Snapshot) => {
  const stands = standingOf(object)!;
  return [stands.standing, asOf, stands.status_rank, amountsOf(object).refunded ?? 0, event] as const;
};

function higher(a: Snapshot, b: Snapshot): Snapshot {
  const [x, y] = [order(a), order(b)];
  for (let i = 0; i < x.length; i += 1) if (x[i] !== y[i]) return x[i]! > y[i]! ? a : b;
  return a;
}

const truthOf = (snapshots: Snapshot[]) => snapshots.reduce(higher).object.status;

describe('The truth among snapshots', () => {
  it.each([
    [
      'a payment',
      [
        snapshot('payment_intent', 'requires_payment_method', 1, 'a'),
        snapshot('payment_intent', 'processing', 1, 'b'),
        snapshot('payment_intent', 'succeeded', 1, 'c'),
      ],
      'succeeded',
    ],
    [
      'an authorization that was captured within the second',
      [snapshot('payment_intent', 'succeeded', 5, 'a'), snapshot('payment_intent', 'requires_capture', 5, 'z')],
      'succeeded',
    ],
    [
      'an authorization that was released',
      [snapshot('payment_intent', 'requires_capture', 5, 'a'), snapshot('payment_intent', 'canceled', 9, 'b')],
      'canceled',
    ],
    [
      'a decline after 3-D Secure',
      [snapshot('payment_intent', 'requires_action', 5, 'a'), snapshot('payment_intent', 'requires_payment_method', 7, 'b')],
      'requires_payment_method',
    ],
    [
      'a refund that failed late',
      [snapshot('refund', 'succeeded', 5, 'a'), snapshot('refund', 'failed', 9, 'b'), snapshot('refund', 'pending', 5, 'c')],
      'failed',
    ],
    [
      'a success older than a stale hint',
      [snapshot('payment_intent', 'succeeded', 5, 'a'), snapshot('payment_intent', 'processing', 6, 'b')],
      'succeeded',
    ],
  ])('of %s is found in any order', (_what, snapshots, status) => {
    fc.assert(fc.property(fc.shuffledSubarray(snapshots, { minLength: snapshots.length }), (shuffled) => truthOf(shuffled) === status));
  });

  it('of a charge is its newest refund state once it is captured', () => {
    const captured = snapshot('charge', 'succeeded', 3, 'a', { amount_captured: 4200, amount_refunded: 0 });
    const refunded = snapshot('charge', 'succeeded', 8, 'b', { amount_captured: 4200, amount_refunded: 100 });
    const failedLater = snapshot('charge', 'succeeded', 9, 'c', { amount_captured: 4200, amount_refunded: 0 });
    expect(higher(higher(refunded, failedLater), captured)).toBe(failedLater);
  });

  it('of a bank debit that failed within the second in which it was pending is that it failed', () => {
    const debit = { amount_captured: 4200, amount_refunded: 0 };
    const failed = snapshot('charge', 'failed', 3, 'a', { ...debit, amount_captured: 0 });
    expect(higher(failed, snapshot('charge', 'pending', 3, 'z', debit))).toBe(failed);
  });

  it('of an unknown status gives way to any known final one', () => {
    expect(higher(snapshot('payment_intent', 'brand_new', 99, 'z'), snapshot('payment_intent', 'succeeded', 1, 'a')).object.status).toBe(
      'succeeded',
    );
  });
});
