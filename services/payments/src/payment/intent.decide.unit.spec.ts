import { describe, expect, it } from '@jest/globals';
import { type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome } from '@tidegate/stripe-gateway/outcome';
import fc from 'fast-check';
import {
  accepted,
  authorized,
  AT,
  completed,
  CREATE,
  declined,
  declinedIntent,
  intent,
  missing,
  NOW,
  opened,
  paidIntent,
  payment,
  submitted,
  succeeded,
  terms,
} from '../../test/given.js';
import {
  decideAnswer,
  decideAnswerTo,
  decideExpired,
  decideFound,
  decideInterrupted,
  decideLookup,
  decideRetry,
  follow,
  mayBeUnderWay,
} from './intent.decide.js';
import { type Occurred, type PaymentEvent } from './payment.events.js';
import { replay } from './payment.evolve.js';
import { type Payment, statusOf } from './payment.state.js';

const ok = (value: Intent): StripeOutcome<Intent> => ({ kind: 'ok', value, requestId: null });
const types = (events: PaymentEvent[] | null) => events?.map((event) => event.type) ?? null;
const noAnswer: StripeOutcome<Intent> = { kind: 'unknown', cause: 'timeout', stored: false, message: '' };
const later = (hours: number) => new Date(Date.parse(AT) + hours * 3_600_000);

describe('When the intent was created', () => {
  it('records its id and commits to the confirm in one breath', () => {
    expect(types(decideAnswer(payment(...accepted()), 'intent', ok(intent()), NOW))).toEqual(['IntentRecorded', 'StepSubmitted']);
  });
  it('waits for a method when none was given', () => {
    expect(types(decideAnswer(payment(...accepted({ payment_method: null })), 'intent', ok(intent()), NOW))).toEqual([
      'IntentRecorded',
      'PaymentMethodAwaited',
      'CommandCompleted',
    ]);
  });
  it('cancels it instead when time is up', () => {
    expect(types(decideFound(payment(...accepted()), intent(), later(2)))).toEqual(['IntentRecorded', 'CancelRequested', 'StepSubmitted']);
  });
  it('never records a second one', () => {
    expect(types(decideAnswer(payment(...opened()), 'intent', ok(intent({ id: 'pi_2' })), NOW))).toEqual(['OrphanIntentFound']);
  });
  it('fails for good when Stripe refuses it', () => {
    const refused: StripeOutcome<Intent> = { kind: 'rejected', status: 400, code: 'x', param: null, message: 'no' };
    expect(types(decideAnswer(payment(...accepted()), 'intent', refused, NOW))).toEqual(['PaymentFailed', 'CommandCompleted']);
  });
});

describe('When the confirm was answered', () => {
  it('succeeds', () => {
    expect(types(decideAnswer(payment(...opened()), 'confirm', ok(paidIntent()), NOW))).toEqual(['PaymentSucceeded', 'CommandCompleted']);
  });
  it('is declined, which is certain but not final', () => {
    const outcome: StripeOutcome<Intent> = {
      kind: 'declined',
      code: 'card_declined',
      declineCode: null,
      message: 'no',
      intent: declinedIntent(),
    };
    expect(types(decideAnswer(payment(...opened()), 'confirm', outcome, NOW))).toEqual(['PaymentDeclined', 'CommandCompleted']);
  });
  it('cancels the intent of a create whose confirm Stripe refuses', () => {
    const refused: StripeOutcome<Intent> = {
      kind: 'rejected',
      status: 400,
      code: 'resource_missing',
      param: 'payment_method',
      message: 'no',
      intent: intent(),
    };
    expect(types(decideAnswer(payment(...opened()), 'confirm', refused, NOW))).toEqual([
      'CommandCompleted',
      'CancelRequested',
      'StepSubmitted',
    ]);
  });
  it('believes the intent that comes with a refusal: it may have succeeded before', () => {
    const moved: StripeOutcome<Intent> = {
      kind: 'rejected',
      status: 400,
      code: 'payment_intent_unexpected_state',
      param: null,
      message: 'no',
      intent: paidIntent(),
    };
    expect(types(decideAnswer(payment(...opened()), 'confirm', moved, NOW))).toEqual(['PaymentSucceeded', 'CommandCompleted']);
  });
  it.each([{ kind: 'in_use', message: '' } as const, { kind: 'auth', status: 401, message: '' } as const])(
    'decides nothing on $kind',
    (outcome) => {
      expect(decideAnswer(payment(...opened()), 'confirm', outcome, NOW)).toEqual([]);
    },
  );
  it('becomes unknown without an answer, and on a 404 of the intent: an alarm, never a cancel', () => {
    for (const outcome of [noAnswer, { kind: 'not_found', param: 'id', message: '' } as const]) {
      const events = decideAnswer(payment(...opened()), 'confirm', outcome, NOW);
      expect(types(events)).toEqual(['AnswerMissing']);
      expect(statusOf(payment(...opened(), ...events))).toBe('unknown');
    }
  });
});

describe('When an answer is missing', () => {
  const unanswered = payment(...opened(), missing('confirm'));

  it('sees the effect of the call', () => {
    expect(types(decideLookup(unanswered, paidIntent(), NOW))).toEqual(['PaymentSucceeded', 'CommandCompleted']);
    expect(types(decideLookup(unanswered, declinedIntent(), NOW))).toEqual(['PaymentDeclined', 'CommandCompleted']);
  });
  it('sees none', () => {
    expect(decideLookup(unanswered, intent(), NOW)).toBeNull();
  });
  it('does not take the decline of an earlier attempt for its own', () => {
    const again: PaymentEvent[] = [
      ...declined('ch_1|ch_1|card_declined|'),
      { type: 'ConfirmRequested', data: { command_id: 'cmd_2', payment_method: 'pm_card_visa' } },
      submitted('confirm', 1, 'cmd_2'),
      missing('confirm', true, 'cmd_2'),
    ];
    expect(decideLookup(payment(...again), declinedIntent('ch_1'), NOW)).toBeNull();
    expect(types(decideLookup(payment(...again), declinedIntent('ch_2'), NOW))).toEqual(['PaymentDeclined', 'CommandCompleted']);
  });
  it.each([declinedIntent('ch_2'), intent({ status: 'requires_action', latest_charge: 'ch_2' })])(
    "while the key of a later confirm is good, it asks with that key rather than take another's attempt for its own",
    (seen) => {
      const again = (stored: boolean): Payment =>
        payment(
          ...declined(),
          { type: 'ConfirmRequested', data: { command_id: 'cmd_2', payment_method: 'pm_card_visa', not_after: later(48).toISOString() } },
          submitted('confirm', 1, 'cmd_2'),
          missing('confirm', stored, 'cmd_2'),
        );
      expect(decideLookup(again(false), seen, later(22))).toBeNull();
      expect(decideRetry(again(false), later(22))).toEqual([]);
      expect(types(decideLookup(again(false), seen, later(24)))).toContain('CommandCompleted');
      expect(types(decideLookup(again(true), seen, NOW))).toContain('CommandCompleted');
      expect(types(decideLookup(again(false), paidIntent(), NOW))).toEqual(['PaymentSucceeded', 'CommandCompleted']);
    },
  );
  it('never takes the action that the payer owed before for the effect of a confirm', () => {
    const acting = payment(
      ...opened(),
      { type: 'PaymentActionRequired', data: { mark: '-' } },
      completed(),
      { type: 'ConfirmRequested', data: { command_id: 'cmd_2', payment_method: 'pm_card_visa' } },
      submitted('confirm', 1, 'cmd_2'),
      missing('confirm', true, 'cmd_2'),
    );
    expect(decideLookup(acting, intent({ status: 'requires_action' }), NOW)).toBeNull();
  });
  it('calls again with the same key within 23 hours', () => {
    const long = payment(...opened({ not_after: '2027-01-01T00:00:00.000Z' }), missing('confirm'));
    expect(decideRetry(long, later(22))).toEqual([]);
    expect(decideRetry(long, later(24))).toMatchObject([{ type: 'StepSubmitted', data: { step: 'confirm', n: 2 } }]);
  });
  it('takes the next key at once when Stripe stored an error under this one', () => {
    expect(decideRetry(payment(...opened(), missing('confirm', true)), NOW)).toMatchObject([{ type: 'StepSubmitted', data: { n: 2 } }]);
  });
  it('gives up past not_after: cancels the intent, or the payment if there is none', () => {
    expect(types(decideRetry(unanswered, later(2)))).toEqual(['CancelRequested', 'StepSubmitted']);
    expect(decideRetry(payment(...accepted(), missing('intent')), later(2))).toMatchObject([
      { type: 'PaymentCanceled', data: { reason: 'expired' } },
      { type: 'CommandCompleted' },
    ]);
    expect(decideRetry(payment(...accepted({}, true)), later(2))).toMatchObject([
      { type: 'PaymentCanceled', data: { reason: 'expired_in_queue' } },
      { type: 'CommandCompleted' },
    ]);
  });
  it('judges a later confirm by its own deadline', () => {
    const late: PaymentEvent[] = [
      ...declined(),
      { type: 'ConfirmRequested', data: { command_id: 'cmd_2', payment_method: 'pm_card_visa', not_after: later(3).toISOString() } },
      submitted('confirm', 1, 'cmd_2'),
      missing('confirm', false, 'cmd_2'),
    ];
    expect(decideRetry(payment(...late), later(2))).toEqual([]);
    expect(types(decideRetry(payment(...late), later(4)))).toEqual(['CancelRequested', 'StepSubmitted']);
  });
  it('counts a call whose process died as missing, and one that it may have repeated, too', () => {
    const call = `${CREATE}:confirm:1`;
    expect(types(decideInterrupted(payment(...opened()), call))).toEqual(['AnswerMissing']);
    const again = payment(...opened(), missing('confirm', true));
    expect(decideInterrupted(again, call)).toMatchObject([{ data: { cause: 'interrupted', stored: true } }]);
    expect(decideInterrupted(payment(...opened()), `${CREATE}:intent:1`)).toEqual([]);
  });
});

describe('When an answer comes late', () => {
  const confirmed = { id: `${CREATE}:confirm:1`, step: 'confirm' as const };
  const next = payment(...opened(), missing('confirm', true), submitted('confirm', 2));

  it('it is not taken for the answer to the call that stands there by now', () => {
    expect(decideAnswerTo(confirmed, next, noAnswer, NOW)).toBeNull();
    expect(decideAnswerTo(confirmed, next, ok(declinedIntent()), NOW)).toBeNull();
    expect(decideAnswerTo(confirmed, payment(...declined()), ok(intent()), NOW)).toBeNull();
  });
  it('it counts as long as its call stands there', () => {
    expect(types(decideAnswerTo(confirmed, payment(...opened(), missing('confirm')), ok(paidIntent()), NOW))).toEqual([
      'PaymentSucceeded',
      'CommandCompleted',
    ]);
  });
  it('an intent that it made is recorded, or an orphan when the payment has another or none to come', () => {
    const created = { id: `${CREATE}:intent:1`, step: 'intent' as const };
    const retried = payment(...accepted(), missing('intent', true), submitted('intent', 2));
    expect(types(decideAnswerTo(created, retried, ok(intent()), NOW))).toEqual(['IntentRecorded', 'StepSubmitted']);
    expect(types(decideAnswerTo(created, next, ok(intent({ id: 'pi_2' })), NOW))).toEqual(['OrphanIntentFound']);
    const ended = payment(...accepted(), { type: 'PaymentCanceled', data: { reason: 'expired' } }, completed());
    expect(types(decideAnswerTo(created, ended, ok(intent()), NOW))).toEqual(['OrphanIntentFound']);
  });
});

describe('When the payment ended while a call was out', () => {
  const paid: PaymentEvent[] = [...opened(), { type: 'PaymentSucceeded', data: { amount_captured: 4200, charge: 'ch_2', card: null } }];
  const refused = { kind: 'rejected', status: 400, code: 'x', param: null, message: 'no' } as const;

  it('a decline of that call does not take it back', () => {
    const outcome = { kind: 'declined', code: 'card_declined', declineCode: null, message: 'no', intent: declinedIntent() } as const;
    const events = decideAnswer(payment(...paid), 'confirm', outcome, NOW);
    expect(types(events)).toEqual(['CommandCompleted']);
    expect(statusOf(payment(...paid, ...events))).toBe('succeeded');
  });
  it('nor does a refusal', () => {
    expect(types(decideAnswer(payment(...paid), 'confirm', refused, NOW))).toEqual(['CommandCompleted']);
    const canceled: PaymentEvent[] = [...accepted(), { type: 'PaymentCanceled', data: { reason: null } }];
    expect(types(decideAnswer(payment(...canceled), 'intent', refused, NOW))).toEqual(['CommandCompleted']);
  });
  it('no event leads out of a final state', () => {
    const failure = { code: 'x', decline_code: null, message: '' };
    for (const event of [
      { type: 'PaymentDeclined', data: { failure, mark: 'm' } },
      { type: 'PaymentActionRequired', data: { mark: 'm' } },
      { type: 'PaymentCanceled', data: { reason: null } },
      { type: 'PaymentFailed', data: { failure } },
    ] satisfies PaymentEvent[])
      expect(payment(...paid, event).lifecycle).toEqual({ status: 'succeeded', amount_captured: 4200, paid_at: expect.any(String) });
  });
});

describe('When a call that was committed to had no effect and time is up', () => {
  it('is not made again: the intent is canceled, or the payment if there is none', () => {
    expect(types(decideExpired(payment(...opened()), later(2)))).toEqual(['CancelRequested', 'StepSubmitted']);
    expect(types(decideExpired(payment(...accepted()), later(2)))).toEqual(['PaymentCanceled', 'CommandCompleted']);
  });
  it('is made again until then, and a capture or a cancel at any time', () => {
    expect(decideExpired(payment(...opened()), NOW)).toBeNull();
    const capturing: PaymentEvent[] = [
      ...authorized(),
      { type: 'CaptureRequested', data: { command_id: 'cmd_3', amount: null } },
      submitted('capture', 1, 'cmd_3'),
    ];
    expect(decideExpired(payment(...capturing), later(2))).toBeNull();
  });
});

describe('When time is up for a confirm of an intent that somebody else made', () => {
  const adopted: PaymentEvent[] = [
    { type: 'PaymentAdopted', data: { terms: terms({ origin: 'subscription' }), intent_id: 'pi_1' } },
    { type: 'ConfirmRequested', data: { command_id: 'cmd_2', payment_method: 'pm_card_visa', not_after: later(1).toISOString() } },
    submitted('confirm', 1, 'cmd_2'),
  ];
  const waiting = payment(...adopted, missing('confirm', false, 'cmd_2'));

  it('ends the confirm and leaves the intent', () => {
    expect(decideExpired(payment(...adopted), later(2))).toEqual([completed('cmd_2')]);
    expect(decideRetry(waiting, later(2))).toEqual([completed('cmd_2')]);
  });
  it('waits until its last call has long ended', () => {
    const calledLast = (at: Date): Payment => ({ ...waiting, updated_at: at.toISOString() });
    expect(mayBeUnderWay(calledLast(later(1)), new Date(later(1).getTime() + 59_000))).toBe(true);
    expect(mayBeUnderWay(calledLast(later(1)), new Date(later(1).getTime() + 60_000))).toBe(false);
    expect(mayBeUnderWay(calledLast(new Date(AT)), NOW)).toBe(false);
    expect(mayBeUnderWay(payment(...opened(), missing('confirm')), later(2))).toBe(false);
  });
  it('believes what the intent shows, which the key is not asked for any more', () => {
    expect(decideLookup(waiting, declinedIntent(), NOW)).toBeNull();
    expect(types(decideLookup(waiting, declinedIntent(), later(2)))).toEqual(['PaymentDeclined', 'CommandCompleted']);
  });
});

describe("Stripe's news about an intent", () => {
  const states: Intent[] = [
    intent(),
    intent({ status: 'requires_action' }),
    intent({ status: 'processing' }),
    declinedIntent(),
    intent({ status: 'requires_capture', amount_capturable: 4200, latest_charge: 'ch_1' }),
    paidIntent(),
  ];

  it('never takes back what is final, nor an authorization', () => {
    for (const seen of states) {
      expect(follow(payment(...succeeded()), seen, 'answer')).toEqual([]);
      if (seen.status !== 'succeeded') expect(follow(payment(...authorized()), seen, 'answer')).toEqual([]);
    }
  });

  it('ends in the same state in any order, any number of times, for what only moves forward', () => {
    const forward = [states[4] as Intent, states[5] as Intent, intent(), intent({ status: 'processing' })];
    fc.assert(
      fc.property(fc.shuffledSubarray([...forward, ...forward, ...forward], { minLength: 12 }), (seen) => {
        const end = seen.reduce<Payment>(
          (state, one) => join(state, follow(state, one, 'hint')),
          payment(...opened({ capture_method: 'manual' })),
        );
        return statusOf(end) === 'succeeded';
      }),
    );
  });

  it('with more captured than the intent asks for raises the amount, ours too', () => {
    const [raised, paid] = follow(payment(...authorized()), paidIntent({ amount_received: 5000 }), 'answer');
    expect([raised?.data, paid?.data]).toMatchObject([{ amount: 5000 }, { amount_captured: 5000 }]);
  });

  it('takes the amount and currency of an intent that another program owns, and not of ours, while it is open and when it is canceled', () => {
    const theirs = payment(...opened({ origin: 'dashboard' }));
    const changed = { amount: 3000, currency: 'eur' };
    for (const status of ['requires_payment_method', 'canceled'] as const) {
      expect(follow(theirs, intent({ status, ...changed }), 'answer')).toContainEqual({ type: 'AmountChanged', data: changed });
      expect(types(follow(payment(...opened()), intent({ status, amount: 9000 }), 'answer'))).not.toContain('AmountChanged');
    }
  });

  it('takes what is held after it was raised from an answer only', () => {
    const raised = intent({ status: 'requires_capture', amount: 5000, amount_capturable: 5000 });
    expect(types(follow(payment(...authorized()), raised, 'answer'))).toEqual(['AmountChanged', 'PaymentAuthorized']);
    expect(follow(payment(...authorized()), raised, 'hint')).toEqual([]);
  });

  it('about another intent of the same payment makes an orphan of it, once', () => {
    const stranger = intent({ id: 'pi_2' });
    const events = follow(payment(...opened()), stranger, 'hint');
    expect(types(events)).toEqual(['OrphanIntentFound']);
    expect(follow(payment(...opened(), ...events), stranger, 'hint')).toEqual([]);
    expect(follow(payment(...opened()), { ...stranger, status: 'canceled' }, 'hint')).toEqual([]);
  });
});

const join = (state: Payment, events: PaymentEvent[]): Payment =>
  replay(
    events.map((event) => ({ ...event, at: AT }) as Occurred),
    state,
  ) as Payment;
