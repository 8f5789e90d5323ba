import { type CancelSubscriptionBody, type ChangeSubscriptionBody, type CreateSubscriptionBody } from '@tidegate/contracts/requests';
import { type Invoice, type Subscription, type UpdateSubscriptionParams } from '@tidegate/stripe-gateway/billing';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { isOver } from './subscription.seen.js';

interface Calling {
  id: string;
  command_id: string;
  tenant: string;
  invoice: string | null;
  state: 'open' | 'done' | 'refused';
  step: 'call' | 'pay' | 'look';
  params: UpdateSubscriptionParams | null;
  call_n: number;
  call_since: Date;
  call_answer: 'awaited' | 'missing' | 'certain';
  call_stored: boolean;
  absent_since: Date | null;
  version: number;
  created_at: Date;
}

/** A row of `subscription_commands`, see its migration. */
export type Command =
  | (Calling & { kind: 'create'; subscription: string | null; request: CreateSubscriptionBody })
  | (Calling & { kind: 'change'; subscription: string; request: ChangeSubscriptionBody })
  | (Calling & { kind: 'cancel'; subscription: string; request: CancelSubscriptionBody });

/** The columns to change; null: the call certainly had no effect, and is made again later. */
export type Step = Partial<Omit<Calling, 'id' | 'version'>> & { subscription?: string };

/** Stripe keeps keys for 24 hours at least. */
const KEY_LIFE_MS = 23 * 3_600_000;

/** No call that makes a subscription, or pays its first invoice, begins after this: what the request says, or so long after it. */
export const notAfter = (command: Command, windowMs: number): Date =>
  command.kind === 'create' && command.request.not_after !== undefined
    ? new Date(command.request.not_after)
    : new Date(command.created_at.getTime() + windowMs);

/** It has made nothing, as far as is known, and begins to no more: an answer that is missing is looked for first. */
export const isExpired = (command: Command, { now, windowMs }: { now: Date; windowMs: number }): boolean =>
  command.kind === 'create' && command.step === 'call' && now >= notAfter(command, windowMs);

/** Ended without its effect. */
export const ended: Step = { state: 'refused', call_answer: 'certain' };

/** The end of one that is expired. What a call without an answer made may have come after it was looked for: then there is another look first. */
export const decideExpired = ({ absent_since }: Pick<Command, 'absent_since'>): Step =>
  absent_since === null ? ended : { call_answer: 'missing' };

const freshCall = (now: Date) => ({ call_n: 1, call_since: now, call_answer: 'awaited', call_stored: false, absent_since: null }) as const;
export const lookNow: Step = { step: 'look', call_answer: 'certain' };

/** The answer to the call of the step `call`. */
export function decideAnswer(command: Command, outcome: StripeOutcome<Subscription>, now: Date): Step | null {
  switch (outcome.kind) {
    case 'ok':
      return command.kind === 'create' ? made(outcome.value, now) : lookNow;
    case 'declined':
    case 'rejected':
    case 'not_found':
      return ended;
    case 'unknown':
      return { call_answer: 'missing', call_stored: outcome.stored };
    case 'in_use':
    case 'limited':
    case 'auth':
    case 'refused':
      return null;
    default:
      return outcome satisfies never;
  }
}

/** There is a subscription: its first invoice can be paid, under its own key. */
export const made = ({ id, latest_invoice }: Pick<Subscription, 'id' | 'latest_invoice'>, now: Date): Step => ({
  subscription: id,
  invoice: latest_invoice,
  step: latest_invoice === null ? 'look' : 'pay',
  ...freshCall(now),
});

/**
 * What a complete list says of a create without an answer: what it made, the oldest that is not over first, and the next try, under the next key when this one is used up;
 * no more tries once its time is over.
 */
export function decideFound(
  command: Command,
  all: readonly Subscription[],
  { now, windowMs }: { now: Date; windowMs: number },
): { step: Step; orphans: string[] } {
  const [first, ...others] = all.toSorted(
    (a, b) => Number(isOver(a.status)) - Number(isOver(b.status)) || a.created - b.created || (a.id < b.id ? -1 : 1),
  );
  if (first) return { step: made(first, now), orphans: others.map(({ id }) => id) };
  const next = { ...again(command, now), absent_since: command.absent_since ?? now };
  return { step: isExpired(command, { now, windowMs }) ? ended : next, orphans: [] };
}

/** The same call once more, or, when its key is used up, the next. */
export const again = ({ call_n, call_since, call_stored }: Pick<Command, 'call_n' | 'call_since' | 'call_stored'>, now: Date): Step => ({
  call_answer: 'awaited',
  call_stored: false,
  ...(isUsedUp({ call_since, call_stored }, now) ? { call_n: call_n + 1, call_since: now } : {}),
});

/**
 * Whether the call may have been made, so that its effect is looked for before it is made: no answer came, or nobody has been able to make it for so long that its key
 * protects no longer, should it have gone out after all.
 */
export const isDoubtful = (command: Command, now: Date): boolean =>
  command.call_answer === 'missing' || (isUsedUp(command, now) && canBeOut(command));

/** Whoever held this command before is gone: its call may have gone out. A change sends nothing before it is committed what. */
export const mayBeOut = (command: Command): boolean => command.call_answer === 'awaited' && canBeOut(command);

const canBeOut = (command: Command): boolean => command.step !== 'call' || command.kind !== 'change' || command.params !== null;

const isUsedUp = ({ call_since, call_stored }: Pick<Command, 'call_since' | 'call_stored'>, now: Date): boolean =>
  call_stored || now.getTime() - call_since.getTime() >= KEY_LIFE_MS;

/** Whether the first invoice is still to be collected by us. */
export const isPayable = ({ status, collection_method, amount_remaining }: Invoice): boolean =>
  status === 'open' && collection_method === 'charge_automatically' && amount_remaining > 0;

/** Whether somebody has tried to collect it: then the call without an answer was that, and what came of it is seen. */
export const wasTried = ({ attempt_count, action_required, failure }: Invoice): boolean =>
  attempt_count > 0 || action_required || failure !== null;

/** The answer to the call that pays. What came of it is seen afterwards. */
export function decidePaid(outcome: StripeOutcome<Invoice>): Step | null {
  switch (outcome.kind) {
    case 'ok':
    case 'declined':
    case 'rejected':
    case 'not_found':
      return lookNow;
    case 'unknown':
      return { call_answer: 'missing', call_stored: outcome.stored };
    case 'in_use':
    case 'limited':
    case 'auth':
    case 'refused':
      return null;
    default:
      return outcome satisfies never;
  }
}

/** What a change or a cancellation has to send so that the subscription is as asked for; null when it is. A payment method does not show, so it counts as not sent until it was. */
export function wanting(command: Extract<Command, { kind: 'change' | 'cancel' }>, now: Subscription): UpdateSubscriptionParams | null {
  if (command.kind === 'cancel') return now.cancel_at_period_end ? null : { cancelAtPeriodEnd: true };
  const { items, proration, payment_method, cancel_at_period_end } = command.request;
  const moved = items === undefined ? [] : itemChanges(items, now);
  const changes: UpdateSubscriptionParams = {
    ...(moved.length === 0 ? {} : { items: moved, ...(proration === undefined ? {} : { proration }) }),
    ...(payment_method === undefined ? {} : { paymentMethod: payment_method }),
    ...(cancel_at_period_end === undefined || cancel_at_period_end === now.cancel_at_period_end
      ? {}
      : { cancelAtPeriodEnd: cancel_at_period_end }),
  };
  return Object.keys(changes).length === 0 ? null : changes;
}

type ItemChange = NonNullable<UpdateSubscriptionParams['items']>[number];

/** By price, so that doing it twice does it once. */
function itemChanges(wanted: NonNullable<ChangeSubscriptionBody['items']>, { items }: Subscription): ItemChange[] {
  const kept = wanted.flatMap(({ price, quantity }): ItemChange[] => {
    const item = items.find((one) => one.price === price);
    if (!item) return [{ price, ...(quantity === undefined ? {} : { quantity }) }];
    return quantity === undefined || quantity === item.quantity ? [] : [{ id: item.id, quantity }];
  });
  const gone = items.filter(({ price }) => !wanted.some((one) => one.price === price)).map(({ id }) => ({ id, deleted: true as const }));
  return [...kept, ...gone];
}

/**
 * A change whose call has no answer, beside how the subscription stands now. No effect can still come: with the same key it is sent again; once that is used up, only
 * after its effect was absent for `absenceMs`, because the call that adds an item would add it twice.
 */
export function decideUnseen(
  command: Command,
  left: UpdateSubscriptionParams,
  { now, absenceMs }: { now: Date; absenceMs: number },
): { step: Step; waitUntil: Date | null } {
  if (!isUsedUp(command, now)) return { step: again(command, now), waitUntil: null };
  const since = command.absent_since ?? now;
  const until = new Date(since.getTime() + absenceMs);
  if (now < until) return { step: { absent_since: since }, waitUntil: until };
  return { step: { ...again(command, now), params: left, absent_since: null }, waitUntil: null };
}
