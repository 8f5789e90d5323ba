import { describe, expect, it } from '@jest/globals';
import {
  accepted,
  authorized,
  completed,
  CREATE,
  declined,
  given,
  missing,
  opened,
  refunding,
  submitted,
  succeeded,
  terms,
} from '../../test/given.js';
import { decide } from './payment.decide.js';
import { type PaymentEvent } from './payment.events.js';
import { snapshotOf } from './payment.publish.js';
import { type Payment } from './payment.state.js';

const types = (decision: ReturnType<typeof decide>) =>
  decision.kind === 'accepted' ? decision.events.map((event) => event.type) : decision;
const code = (decision: ReturnType<typeof decide>) => (decision.kind === 'refused' ? decision.refusal.code : decision.kind);
const confirm = {
  type: 'ConfirmPayment',
  command_id: 'cmd_2',
  payment_method: 'pm_card_visa',
  not_after: '2026-11-21T06:30:00.000Z',
} as const;
const capture = (amount: number | null = null) => ({ type: 'CapturePayment', command_id: 'cmd_3', amount }) as const;
const cancel = { type: 'CancelPayment', command_id: 'cmd_4', reason: null } as const;
const refund = (amount: number | null = null) =>
  ({ type: 'RefundPayment', command_id: 'cmd_5', refund_id: 'rfd_5', amount, reason: null }) as const;

describe('When there is no payment yet', () => {
  it('accepts it and commits to its first call', () => {
    expect(types(decide(given(), { type: 'CreatePayment', command_id: CREATE, terms: terms(), queued: false }))).toEqual([
      'PaymentAccepted',
      'StepSubmitted',
    ]);
  });

  it('commits to no call when it is to be queued', () => {
    expect(types(decide(given(), { type: 'CreatePayment', command_id: CREATE, terms: terms(), queued: true }))).toEqual([
      'PaymentAccepted',
    ]);
  });
});

describe('When an answer is awaited or missing', () => {
  it.each([[accepted()], [opened()], [[...opened(), missing('confirm')]]])(
    'every further command on the intent waits',
    (events: PaymentEvent[]) => {
      for (const command of [confirm, capture(), cancel]) expect(decide(given(...events), command)).toEqual({ kind: 'busy' });
    },
  );
});

describe('When queued', () => {
  it('is canceled without a call', () => {
    expect(types(decide(given(...accepted({}, true)), cancel))).toEqual([
      'CancelRequested',
      'PaymentCanceled',
      'CommandCompleted',
      'CommandCompleted',
    ]);
  });
});

describe('When declined', () => {
  it('takes another payment method', () => {
    expect(types(decide(given(...declined()), confirm))).toEqual(['ConfirmRequested', 'StepSubmitted']);
  });
  it('gives the confirm a window of its own, at least as long as that of the payment', () => {
    const late = { ...confirm, not_after: '2026-11-21T09:00:00.000Z' };
    expect(decide(given(...declined()), late)).toMatchObject({ events: [{ data: { not_after: late.not_after } }, {}] });
    expect(decide(given(...declined()), confirm)).toMatchObject({ events: [{ data: { not_after: terms().not_after } }, {}] });
  });
  it('refuses a capture and a refund', () => {
    expect(code(decide(given(...declined()), capture()))).toBe('payments.illegal_state');
    expect(code(decide(given(...declined()), refund()))).toBe('payments.illegal_state');
  });
});

describe('When authorized', () => {
  it('captures all or a part', () => {
    expect(types(decide(given(...authorized()), capture()))).toEqual(['CaptureRequested', 'StepSubmitted']);
    expect(types(decide(given(...authorized()), capture(4200)))).toEqual(['CaptureRequested', 'StepSubmitted']);
  });
  it('refuses a capture above the authorized amount', () => {
    expect(code(decide(given(...authorized()), capture(4201)))).toBe('payments.capture_exceeds_authorized');
  });
  it('refuses a confirm', () => {
    expect(code(decide(given(...authorized()), confirm))).toBe('payments.illegal_state');
  });
  it('waits while a capture has no certain outcome', () => {
    const capturing: PaymentEvent[] = [
      ...authorized(),
      { type: 'CaptureRequested', data: { command_id: 'cmd_3', amount: null } },
      submitted('capture', 1, 'cmd_3'),
    ];
    expect(decide(given(...capturing), cancel)).toEqual({ kind: 'busy' });
    expect(decide(given(...capturing), refund())).toEqual({ kind: 'busy' });
  });
});

describe('When succeeded', () => {
  it('refunds what is left when no amount is given', () => {
    const decision = decide(given(...succeeded(), refunding('rfd_1', 1000)), refund());
    expect(decision).toMatchObject({ kind: 'accepted', events: [{ type: 'RefundRequested', data: { amount: 3200 } }] });
  });
  it('counts refunds whose outcome is open, so that together they never exceed the captured amount', () => {
    expect(code(decide(given(...succeeded(), refunding('rfd_1', 4000)), refund(201)))).toBe('payments.refund_exceeds_captured');
    const unanswered: PaymentEvent = { type: 'RefundAnswerMissing', data: { refund_id: 'rfd_1', cause: 'server_error', stored: true } };
    expect(code(decide(given(...succeeded(), refunding('rfd_1', 4200), unanswered), refund(1)))).toBe('payments.refund_exceeds_captured');
  });
  it('refuses more refunds than one event can tell of', () => {
    const many = Array.from({ length: 1000 }, (_, i): PaymentEvent[] => {
      const id = `rfd_${String(i).padStart(32, '0')}`;
      const recorded = { stripe_refund: `re_${id}`, status: 'succeeded', amount: 1, reason: 'requested_by_customer' } as const;
      return [refunding(id, 1), { type: 'RefundRecorded', data: { refund_id: id, ...recorded } }];
    });
    expect(types(decide(given(...succeeded(), ...many.slice(1).flat()), refund(1)))).toEqual(['RefundRequested']);
    const full = given(...succeeded(), ...many.flat());
    expect(code(decide(full, refund(1)))).toBe('payments.illegal_state');
    expect(JSON.stringify(snapshotOf(full as Payment)).length).toBeLessThan(240 * 1024);
  });

  it('frees the amount of a refund that was never carried out', () => {
    const gone: PaymentEvent = { type: 'RefundNotExecuted', data: { refund_id: 'rfd_1' } };
    expect(types(decide(given(...succeeded(), refunding('rfd_1', 4200), gone), refund(4200)))).toEqual(['RefundRequested']);
  });
  it('answers with the refund itself when its request was lost but not the refund', () => {
    const recorded: PaymentEvent = {
      type: 'RefundRecorded',
      data: { refund_id: 'rfd_5', stripe_refund: 're_1', status: 'succeeded', amount: 1000, reason: null, command_id: 'cmd_5' },
    };
    expect(decide(given(...succeeded(), recorded), refund(1000))).toMatchObject({ kind: 'known', refund: { id: 'rfd_5', amount: 1000 } });
    expect(decide(given(...succeeded(), refunding('rfd_5', 1000)), refund(1000))).toEqual({ kind: 'busy' });
  });
  it.each([confirm, capture(), cancel])('refuses %j', (command) => {
    expect(code(decide(given(...succeeded()), command))).toBe('payments.illegal_state');
  });
});

describe('When canceled', () => {
  it('refuses everything', () => {
    const canceled: PaymentEvent[] = [...declined(), { type: 'PaymentCanceled', data: { reason: null } }, completed()];
    for (const command of [confirm, capture(), cancel, refund()])
      expect(code(decide(given(...canceled), command))).toBe('payments.illegal_state');
  });
});
