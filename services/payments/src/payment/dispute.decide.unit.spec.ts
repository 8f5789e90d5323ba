import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AT, payment, succeeded } from '../../test/given.js';
import { currentDispute, followDispute, hasOtherDetails, observeDispute, type SeenDispute } from './dispute.decide.js';
import { type Occurred, type PaymentEvent } from './payment.events.js';
import { replay } from './payment.evolve.js';
import { type Payment } from './payment.state.js';

const paid = payment(...succeeded());
const DUE = 1_796_000_000;

const seen = (status: string, change: Partial<SeenDispute> = {}): SeenDispute => ({
  id: 'du_1',
  status,
  amount: 4200,
  currency: 'usd',
  reason: 'fraudulent',
  charge: 'ch_1',
  due_by: DUE,
  created: 1_795_000_000,
  movements: 0,
  funds: null,
  ...change,
});
const withdrawn = { movements: 1, funds: { currency: 'usd', withdrawn: 4200, reinstated: 0, fee: 1500 } };
const reinstated = { movements: 2, funds: { currency: 'usd', withdrawn: 4200, reinstated: 4200, fee: 1500 } };

const after = (from: Payment, events: PaymentEvent[]): Payment =>
  replay(
    events.map((event) => ({ ...event, at: AT }) as Occurred),
    from,
  ) as Payment;
const observing = (from: Payment, ...sights: SeenDispute[]): Payment =>
  sights.reduce((state, sight) => after(state, observeDispute(state, sight)), from);
const types = (events: PaymentEvent[]) => events.map(({ type }) => type);

describe('News of a dispute', () => {
  it('opens it, with the money that is gone already', () => {
    expect(types(observeDispute(paid, seen('needs_response', withdrawn)))).toEqual(['DisputeOpened', 'DisputeFundsWithdrawn']);
  });

  it('that it is over opens it first', () => {
    expect(types(observeDispute(paid, seen('won', reinstated)))).toEqual([
      'DisputeOpened',
      'DisputeFundsWithdrawn',
      'DisputeClosed',
      'DisputeFundsReinstated',
    ]);
    expect(types(observeDispute(paid, seen('warning_closed')))).toEqual(['DisputeOpened', 'DisputeClosed']);
  });

  it('stays quiet about what is known', () => {
    const open = observing(paid, seen('under_review', withdrawn));
    expect(observeDispute(open, seen('under_review', withdrawn))).toEqual([]);
    expect(observeDispute(open, seen('needs_response'))).toEqual([]);
    expect(observeDispute(open, seen('warning_closed'))).toEqual([]);
  });

  it('never leads out of won or lost', () => {
    const statuses = [
      'warning_needs_response',
      'warning_closed',
      'needs_response',
      'appeal_under_review',
      'prevented',
      'won',
      'lost',
      'news_to_us',
    ];
    for (const final of ['won', 'lost'] as const) {
      const over = observing(paid, seen(final));
      for (const status of statuses)
        expect([final, status, observing(over, seen(status)).disputes]).toEqual([final, status, over.disputes]);
    }
  });

  it('in words that we do not know counts as the review of its kind', () => {
    expect(observing(paid, seen('warning_novel')).disputes).toMatchObject([{ status: 'warning_under_review' }]);
    expect(observing(paid, seen('novel')).disputes).toMatchObject([{ status: 'under_review' }]);
  });

  it('with other details is worth asking, and the answer is believed; one that is behind is not', () => {
    const open = observing(paid, seen('under_review', withdrawn));
    const changed = seen('under_review', { ...withdrawn, amount: 4000, due_by: DUE + 1 });
    expect([observeDispute(open, changed), hasOtherDetails(open, changed)]).toEqual([[], true]);
    expect(types(followDispute(open, changed))).toEqual(['DisputeUpdated']);
    expect(after(open, followDispute(open, changed)).disputes).toMatchObject([
      { amount: 4000, respond_by: new Date((DUE + 1) * 1000).toISOString() },
    ]);
    expect(followDispute(open, seen('needs_response', { amount: 1 }))).toEqual([]);
  });

  it('about a fee that came back changes the figures', () => {
    const won = observing(paid, seen('won', reinstated));
    const refunded = seen('won', { movements: 3, funds: { ...reinstated.funds, fee: 0 } });
    expect(observing(won, refunded).disputes).toMatchObject([{ funds: { fee: 0, withdrawn: 4200, reinstated: 4200 } }]);
  });

  it('in any order, any number of times, ends where the dispute ended', () => {
    const endings: SeenDispute[][] = [
      [seen('won', withdrawn), seen('won', reinstated)],
      [seen('lost', withdrawn)],
      [seen('appeal_needs_response', withdrawn), seen('appeal_under_review', withdrawn), seen('won', reinstated)],
      [],
    ];
    const chargeback = [seen('needs_response', withdrawn), seen('under_review', withdrawn)];
    const inquiry = [seen('warning_needs_response'), seen('warning_under_review'), seen('warning_closed')];
    const histories = fc
      .tuple(fc.constantFrom(inquiry, inquiry.slice(0, 1), []), fc.constantFrom(...endings), fc.integer({ min: 0, max: 2 }))
      .map(([before, ending, escalated]) => [...before, ...(escalated > 0 || before.length === 0 ? [...chargeback, ...ending] : [])]);
    const told = histories.chain((history) =>
      fc.tuple(fc.constant(history), fc.shuffledSubarray([...history, ...history, ...history], { minLength: history.length * 3 })),
    );
    fc.assert(
      fc.property(told, ([history, order]) => {
        const last = history.at(-1) as SeenDispute;
        expect(observing(paid, ...order).disputes).toMatchObject([{ status: last.status, funds: last.funds, movements: last.movements }]);
      }),
    );
  });
});

describe('Of several disputes', () => {
  it('the open one matters, then the newest', () => {
    const one = (status: 'won' | 'needs_response', created_at: string) => ({ status, created_at });
    const [old, open, late] = [one('won', '2026-01-01'), one('needs_response', '2026-01-02'), one('won', '2026-01-03')];
    expect(currentDispute([old, open, late])).toBe(open);
    expect(currentDispute([late, old])).toBe(late);
    expect(currentDispute([])).toBeUndefined();
  });
});
