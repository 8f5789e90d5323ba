import { type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure, type StripeOutcome } from '@tidegate/stripe-gateway/outcome';
import { type Failure, type IntentStep, type PaymentEvent, type Rejection } from './payment.events.js';
import { callIdOf, deadlineOf, isFinal, NO_MARK, type Payment, type Pending, type Submission } from './payment.state.js';

/** Stripe forgets a key after 24 h; ours counts as old an hour earlier. https://docs.stripe.com/api/idempotent_requests */
const KEY_LIFE_MS = 23 * 3_600_000;
/** A call whose answer is missing may still take effect for so long. */
const UNDER_WAY_MS = 60_000;

/** `answer`: Stripe said so now, to us. `hint`: an older snapshot (a webhook), which only moves forward to states that cannot be left for an earlier one. */
export type Source = 'answer' | 'hint';

/** The facts that an intent's state adds to what we know. Final states are never left; an intent that is not ours to use is an orphan. */
export function follow(payment: Payment, intent: Intent, source: Source): PaymentEvent[] {
  if (payment.intent_id !== null && intent.id !== payment.intent_id) return orphan(payment, intent);
  if (isFinal(payment)) return [];
  switch (intent.status) {
    case 'succeeded':
      return [...amountChange(payment, intent), succeeded(intent)];
    case 'canceled':
      return [...unpaidChange(payment, intent), canceled(payment, intent)];
    case 'requires_capture':
      if (holdsTheSame(payment, intent, source)) return [];
      return [
        ...amountChange(payment, intent),
        {
          type: 'PaymentAuthorized',
          data: { amount_capturable: intent.amount_capturable, charge: intent.latest_charge, card: intent.card },
        },
      ];
    default:
      return source === 'answer' ? followOpen(payment, intent) : [];
  }
}

/**
 * The amount of our own payments is what was asked of us, unless another program made the payer pay more, or in another currency; amount and currency of others are what
 * Stripe says. More may be captured than the intent asks for, such as a tip, and is the amount then (https://docs.stripe.com/payments/overcapture). 0 and '' where news do not tell them.
 */
function amountChange(payment: Payment, intent: Intent): PaymentEvent[] {
  const { terms } = payment;
  const { currency } = intent;
  if (intent.amount === 0 || currency === '') return [];
  const amount = Math.max(intent.amount, intent.amount_received);
  const differs = currency !== terms.currency || (isOurs(payment) ? amount > terms.amount : amount !== terms.amount);
  return differs ? [{ type: 'AmountChanged', data: { amount, currency } }] : [];
}

const succeeded = ({ amount_received, latest_charge, card, paid_at }: Intent): PaymentEvent => ({
  type: 'PaymentSucceeded',
  data: {
    amount_captured: amount_received,
    charge: latest_charge,
    card,
    ...(paid_at === null ? {} : { paid_at: new Date(paid_at * 1000).toISOString() }),
  },
});

/** As long as nobody has paid it, an intent asks for whatever its program says; ours asks for what was asked of us. */
const unpaidChange = (payment: Payment, intent: Intent): PaymentEvent[] => (isOurs(payment) ? [] : amountChange(payment, intent));

/**
 * What is held may be raised, or captured in part, until its last capture; no order tells which of two looks is newer, so only an answer of Stripe's counts then.
 * https://docs.stripe.com/payments/incremental-authorization
 */
const holdsTheSame = ({ lifecycle }: Payment, { amount_capturable }: Intent, source: Source): boolean =>
  lifecycle.status === 'authorized' && (source === 'hint' || lifecycle.amount_capturable === amount_capturable);

/** These come and go, so only an answer of Stripe's counts, and nothing comes back from an authorization. */
function followOpen(payment: Payment, intent: Intent): PaymentEvent[] {
  return payment.lifecycle.status === 'authorized' ? [] : [...unpaidChange(payment, intent), ...openStatus(payment, intent)];
}

function openStatus(payment: Payment, intent: Intent): PaymentEvent[] {
  const { status } = payment.lifecycle;
  const mark = markOf(intent);
  if (intent.status === 'requires_action') return status === 'requires_action' ? [] : [{ type: 'PaymentActionRequired', data: { mark } }];
  if (intent.status === 'processing') return status === 'processing' ? [] : [{ type: 'PaymentProcessingStarted', data: { mark } }];
  if (status === 'requires_payment_method' && mark === payment.mark) return [];
  const error = intent.last_payment_error;
  if (!error) return [{ type: 'PaymentMethodAwaited', data: { mark } }];
  return [
    { type: 'PaymentDeclined', data: { failure: { code: error.code, decline_code: error.decline_code, message: error.message }, mark } },
  ];
}

/** What the answer to a call means. No events: it certainly had no effect, and the same key may be used again. */
export function decideAnswer(payment: Payment, step: IntentStep, outcome: StripeOutcome<Intent>, now: Date): PaymentEvent[] {
  const { pending } = payment;
  if (!pending) return outcome.kind === 'ok' ? follow(payment, outcome.value, 'answer') : [];
  switch (outcome.kind) {
    case 'ok':
      return step === 'intent'
        ? decideFound(payment, outcome.value, now)
        : [...follow(payment, outcome.value, 'answer'), completed(pending)];
    case 'declined':
      return decideDecline(payment, pending, step, outcome);
    case 'rejected':
      return decideRejection(payment, pending, step, outcome);
    case 'not_found':
      return step === 'intent' ? rejectedCreate(payment, pending, outcome) : [missing(pending, 'not_found', false)];
    case 'unknown':
      return [missing(pending, outcome.cause, outcome.stored)];
    case 'in_use':
    case 'limited':
    case 'auth':
    case 'refused':
      return [];
    default:
      return outcome satisfies never;
  }
}

/** A call as it was when it was made. */
export interface Called {
  /** See `callIdOf`. */
  id: string;
  step: IntentStep;
}

/**
 * The same for a payment that may have moved while the call was out. When another call stands there by now, the answer says nothing about it and is an old
 * snapshot: only an intent that the call made is kept. Null: nothing is to be recorded, and Stripe should be asked.
 */
export function decideAnswerTo(called: Called, payment: Payment, outcome: StripeOutcome<Intent>, now: Date): PaymentEvent[] | null {
  if (payment.pending && callIdOf(payment.pending) === called.id) return decideAnswer(payment, called.step, outcome, now);
  const made = called.step === 'intent' && outcome.kind === 'ok' ? decideFound(payment, outcome.value, now) : [];
  return made.length > 0 ? made : null;
}

/** Which of several intents of one payment is its own: the one that was paid, or comes closest to it, because another could charge the payer again; else the oldest. */
export const byUse = (a: Intent, b: Intent): number =>
  PROGRESS.indexOf(b.status) - PROGRESS.indexOf(a.status) || a.created - b.created || (a.id < b.id ? -1 : 1);

/** What is not in it has not begun. */
const PROGRESS: readonly Intent['status'][] = ['requires_action', 'processing', 'requires_capture', 'succeeded'];

/** The intent of this payment exists: it is recorded before anything that could move money is sent. */
export function decideFound(payment: Payment, intent: Intent, now: Date): PaymentEvent[] {
  const { pending } = payment;
  if (payment.intent_id !== null || pending?.kind !== 'create') return orphan(payment, intent);
  const recorded: PaymentEvent = { type: 'IntentRecorded', data: { intent_id: intent.id } };
  if (payment.terms.payment_method === null)
    return [recorded, { type: 'PaymentMethodAwaited', data: { mark: NO_MARK } }, completed(pending)];
  if (isExpired(payment, now)) return [recorded, ...abandon(pending)];
  return [recorded, submission(pending, 'confirm', 1)];
}

/** What a retrieved intent says about a command whose answer is missing; null when it shows no effect of it. */
export function decideLookup(payment: Payment, intent: Intent, now: Date): PaymentEvent[] | null {
  const { pending } = payment;
  if (pending?.kind === 'confirm' && pending.submission && isOpen(intent) && !isUsedUp(pending.submission, now) && !isLeft(payment, now))
    return null;
  return decideByMarks(payment, intent);
}

/** No cancel makes it certain that the last call of this command has no effect: it is looked for until that call has long ended. */
export const mayBeUnderWay = (payment: Payment, now: Date): boolean =>
  isLeft(payment, now) && now.getTime() - Date.parse(payment.updated_at) < UNDER_WAY_MS;

/** An attempt of someone else's looks like ours, so while our key still gives the certain answer, an open intent tells nothing about a later confirm. */
const isOpen = ({ status }: Intent): boolean =>
  status === 'requires_payment_method' || status === 'requires_confirmation' || status === 'requires_action';

function decideByMarks(payment: Payment, intent: Intent): PaymentEvent[] | null {
  const { pending } = payment;
  if (!pending) return follow(payment, intent, 'answer');
  switch (effectOf(payment, pending, intent)) {
    case 'done':
      return [...follow(payment, intent, 'answer'), completed(pending)];
    case 'prevented':
      return [
        ...follow(payment, intent, 'answer'),
        completed(pending, { code: 'payments.illegal_state', detail: `The payment is ${intent.status} at Stripe.` }),
      ];
    case 'none':
      return null;
  }
}

/** How to go on with a command that certainly had no effect: empty = call again with the same key. */
export function decideRetry(payment: Payment, now: Date): PaymentEvent[] {
  const { pending } = payment;
  if (!pending) return [];
  const expired = decideExpired(payment, now);
  if (expired) return expired;
  const last = pending.submission;
  if (!last) return [submission(pending, payment.intent_id === null ? 'intent' : stepOf(pending), 1)];
  return isUsedUp(last, now) ? [submission(pending, last.step, last.n + 1)] : [];
}

/** The key of this call will never tell anything more. */
const isUsedUp = (last: Submission, now: Date): boolean => last.stored || now.getTime() - Date.parse(last.at) > KEY_LIFE_MS;

/** What becomes of a command that could still move money when its time is up, whatever its last call did; null while it may go on. */
export function decideExpired(payment: Payment, now: Date): PaymentEvent[] | null {
  const { pending } = payment;
  if (pending?.kind !== 'create' && pending?.kind !== 'confirm') return null;
  return isExpired(payment, now) ? giveUp(payment, pending) : null;
}

/** A process died between committing to a call, or beginning to repeat it, and recording its answer. */
export function decideInterrupted(payment: Payment, callId: string): PaymentEvent[] {
  const { pending } = payment;
  if (!pending?.submission || callIdOf(pending) !== callId) return [];
  return [missing(pending, 'interrupted', pending.submission.stored)];
}

/** A restore has lost whether a call of this command was begun: it is looked for like one that was, before any is made or the command expires as never sent. */
export function decideRestored(payment: Payment): PaymentEvent[] | null {
  const { pending } = payment;
  if (!pending || pending.submission) return null;
  const step = payment.intent_id === null ? 'intent' : stepOf(pending);
  const { command_id } = pending;
  return [submission(pending, step, 1), { type: 'AnswerMissing', data: { command_id, step, n: 1, cause: 'interrupted', stored: false } }];
}

export const isExpired = (payment: Payment, now: Date): boolean => now.getTime() > Date.parse(deadlineOf(payment));

/** Tells one attempt on an intent from the next. */
export function markOf(intent: Intent): string {
  const error = intent.last_payment_error;
  const parts = [intent.latest_charge, error?.charge, error?.code, error?.payment_method].map((part) => part ?? '');
  return parts.every((part) => part === '') ? NO_MARK : parts.join('|');
}

function effectOf(payment: Payment, pending: Pending, intent: Intent): 'done' | 'prevented' | 'none' {
  const { status } = intent;
  switch (pending.kind) {
    case 'create':
    case 'confirm':
      if (status === 'canceled') return pending.kind === 'confirm' ? 'prevented' : 'done';
      if (status === 'requires_action' && payment.lifecycle.status === 'requires_action') return 'none';
      if (status !== 'requires_payment_method' && status !== 'requires_confirmation') return 'done';
      return markOf(intent) === payment.mark ? 'none' : 'done';
    case 'capture':
      if (status === 'succeeded') return 'done';
      return status === 'canceled' ? 'prevented' : 'none';
    case 'cancel':
      if (status === 'canceled') return 'done';
      if (status === 'succeeded') return pending.cause === 'requested' ? 'prevented' : 'done';
      return 'none';
    default:
      return pending satisfies never;
  }
}

function decideDecline(
  payment: Payment,
  pending: Pending,
  step: IntentStep,
  outcome: Extract<StripeFailure, { kind: 'declined' }>,
): PaymentEvent[] {
  if (step !== 'confirm') return decideRejection(payment, pending, step, { ...outcome, kind: 'rejected', status: 402, param: null });
  if (isFinal(payment)) return [completed(pending)];
  const failure: Failure = { code: outcome.code, decline_code: outcome.declineCode, message: outcome.message };
  const mark = outcome.intent ? markOf(outcome.intent) : `${payment.mark}+`;
  return [{ type: 'PaymentDeclined', data: { failure, mark } }, completed(pending)];
}

/** A 4xx is certain. If it came because the intent had moved on already, the intent that Stripe sent along tells. */
function decideRejection(
  payment: Payment,
  pending: Pending,
  step: IntentStep,
  outcome: Extract<StripeFailure, { kind: 'rejected' }>,
): PaymentEvent[] {
  const lookedUp = outcome.intent ? decideByMarks(payment, outcome.intent) : null;
  if (lookedUp) return lookedUp;
  if (step === 'intent') return rejectedCreate(payment, pending, outcome);
  if (pending.kind === 'create' && isFinal(payment)) return [completed(pending)];
  if (pending.kind === 'create') return rejectedConfirmOfCreate(pending, outcome);
  if (pending.kind === 'cancel' && pending.cause !== 'requested') return [missing(pending, 'server_error', true)];
  return [completed(pending, rejectionOf(outcome))];
}

/** Nothing was ever submitted, so the payment has failed for good, unless Stripe's news told of another end meanwhile. */
const rejectedCreate = (payment: Payment, pending: Pending, outcome: Refused): PaymentEvent[] =>
  isFinal(payment)
    ? [completed(pending)]
    : [{ type: 'PaymentFailed', data: { failure: failureOf(outcome) } }, completed(pending, rejectionOf(outcome))];

/** The caller gets a 422 without a payment in it, so nobody could ever go on with the intent: it is canceled. */
const rejectedConfirmOfCreate = (pending: Pending, outcome: Extract<StripeFailure, { kind: 'rejected' }>): PaymentEvent[] => {
  const command_id = `${pending.command_id}_abandon`;
  return [
    completed(pending, rejectionOf(outcome)),
    { type: 'CancelRequested', data: { command_id, reason: null, cause: 'create_rejected', failure: failureOf(outcome) } },
    { type: 'StepSubmitted', data: { command_id, step: 'cancel', n: 1 } },
  ];
};

function giveUp(payment: Payment, pending: Pending): PaymentEvent[] {
  if (!isOurs(payment)) return [completed(pending)];
  if (payment.intent_id !== null) return abandon(pending);
  const reason = payment.lifecycle.status === 'queued' ? 'expired_in_queue' : 'expired';
  return [{ type: 'PaymentCanceled', data: { reason } }, completed(pending)];
}

/** An intent that somebody else made is theirs to end; that of an invoice Stripe does not let anybody cancel. It waits for the next confirm. */
const isOurs = ({ terms }: Payment): boolean => terms.origin === 'api';

/** A confirm whose time is up, on an intent that is not canceled for it: its key is not asked again. */
const isLeft = (payment: Payment, now: Date): boolean => payment.pending?.kind === 'confirm' && !isOurs(payment) && isExpired(payment, now);

const abandon = (pending: Pending): PaymentEvent[] => [
  { type: 'CancelRequested', data: { command_id: pending.command_id, reason: 'abandoned', cause: 'expired', failure: null } },
  submission(pending, 'cancel', 1),
];

function canceled(payment: Payment, intent: Intent): PaymentEvent {
  const { pending } = payment;
  if (pending?.kind === 'cancel' && pending.cause === 'create_rejected' && pending.failure)
    return { type: 'PaymentFailed', data: { failure: pending.failure } };
  if (pending?.kind === 'cancel' && pending.cause === 'expired') return { type: 'PaymentCanceled', data: { reason: 'expired' } };
  return { type: 'PaymentCanceled', data: { reason: intent.cancellation_reason } };
}

function orphan(payment: Payment, intent: Intent): PaymentEvent[] {
  if (intent.id === payment.intent_id || intent.status === 'canceled' || payment.orphans.includes(intent.id)) return [];
  return [{ type: 'OrphanIntentFound', data: { intent_id: intent.id } }];
}

const stepOf = (pending: Pending): IntentStep => (pending.kind === 'create' ? 'confirm' : pending.kind);

const submission = (pending: Pending, step: IntentStep, n: number): PaymentEvent => ({
  type: 'StepSubmitted',
  data: { command_id: pending.command_id, step, n },
});

const completed = (pending: Pending, rejection: Rejection | null = null): PaymentEvent => ({
  type: 'CommandCompleted',
  data: { command_id: pending.command_id, rejection },
});

function missing(
  pending: Pending,
  cause: Extract<PaymentEvent, { type: 'AnswerMissing' }>['data']['cause'],
  stored: boolean,
): PaymentEvent {
  if (!pending.submission) throw new Error('Bug: an answer to a call that was never committed to');
  const { step, n } = pending.submission;
  return { type: 'AnswerMissing', data: { command_id: pending.command_id, step, n, cause, stored } };
}

type Refused = Extract<StripeFailure, { kind: 'rejected' | 'not_found' }>;

const failureOf = (outcome: Refused): Failure => ({ code: codeOf(outcome), decline_code: null, message: outcome.message });

const rejectionOf = (outcome: Refused): Rejection => ({
  code: 'payments.rejected_by_stripe',
  detail: `${codeOf(outcome)}: ${outcome.message}`,
});

const codeOf = (outcome: Refused): string => (outcome.kind === 'rejected' ? (outcome.code ?? 'rejected') : 'not_found');
