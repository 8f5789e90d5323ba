import type { CheckoutPaymentStatus } from '@tidegate/contracts/checkout';
import { AGREES, type Comparison, type CompareRules, differs, type Finding, FOREIGN, money } from './finding.js';

export interface RecordedCheckout {
  checkout_id: string;
  tenant: string;
  status: string;
  payment_status: string;
  payment_id: string | null;
  amount: number;
  currency: string;
  stripe_checkout_session: string | null;
  updated_at: Date;
  made_at: Date;
}

/** A Checkout Session as Stripe shows it. */
export interface RemoteSession {
  id: string;
  status: string;
  payment_status: string;
  payment_intent: string | null;
  amount_total: number | null;
  currency: string | null;
  livemode: boolean;
  metadata: Record<string, string>;
}

/** What a completed checkout says of its money while Stripe says this of the session's. */
const PAYMENT: Record<string, readonly CheckoutPaymentStatus[]> = {
  paid: ['paid'],
  unpaid: ['awaited', 'failed'],
  no_payment_required: ['none'],
};

/**
 * Compares a session with the checkout that is recorded for it; `recorded` null when there is none. Sessions of other programs carry no id of ours: their
 * payments are compared as intents, and about the session itself there is nothing to know.
 */
export function compareSession(recorded: RecordedCheckout | null, session: RemoteSession, rules: CompareRules): Comparison {
  if (session.livemode !== rules.livemode) return FOREIGN;
  const { checkout_id } = session.metadata;
  if (recorded === null) {
    if (checkout_id === undefined) return rules.unmarked === 'foreign' ? FOREIGN : AGREES;
    return differs({ ...aboutSession(session), local_id: checkout_id, payment_id: null, local: null, remote: wordsOf(session) });
  }
  if (recorded.stripe_checkout_session !== session.id) return otherSession(recorded, session);
  return agree(recorded, session) ? AGREES : differs({ ...ours(recorded, session), local: localWords(recorded), remote: wordsOf(session) });
}

/** A checkout whose session Stripe does not know. One that never got a page has nothing to miss. */
export function compareAbsentSession(recorded: RecordedCheckout): Comparison {
  if (recorded.stripe_checkout_session === null) return AGREES;
  const { checkout_id: local_id, payment_id, stripe_checkout_session: stripe_id } = recorded;
  const about = { class: 'checkout_mismatch', object: 'checkout_session', intent: null } as const;
  return differs({ ...about, local_id, payment_id, stripe_id, local: localWords(recorded), remote: null });
}

function agree(recorded: RecordedCheckout, session: RemoteSession): boolean {
  if (recorded.status !== session.status) return false;
  if (session.amount_total !== null && (recorded.amount !== session.amount_total || recorded.currency !== session.currency)) return false;
  return (
    session.status !== 'complete' || (PAYMENT[session.payment_status] ?? []).includes(recorded.payment_status as CheckoutPaymentStatus)
  );
}

/** An extended window has a fresh page, and the one before is closed. One that took money beside the page that counts has taken it twice. */
function otherSession(recorded: RecordedCheckout, session: RemoteSession): Comparison {
  if (session.status === 'expired') return AGREES;
  const twice = session.status === 'complete' && recorded.status === 'complete' && session.payment_status === 'paid';
  return differs({
    ...ours(recorded, session),
    ...(twice ? { class: 'duplicate_charge' as const } : {}),
    local: `has ${recorded.stripe_checkout_session ?? 'no page'}`,
    remote: wordsOf(session),
  });
}

const aboutSession = ({ id, payment_intent }: RemoteSession): Pick<Finding, 'class' | 'object' | 'stripe_id' | 'intent'> => ({
  class: 'checkout_mismatch',
  object: 'checkout_session',
  stripe_id: id,
  intent: payment_intent,
});

const ours = ({ checkout_id, payment_id }: RecordedCheckout, session: RemoteSession) => ({
  ...aboutSession(session),
  local_id: checkout_id,
  payment_id,
});

const wordsOf = ({ status, payment_status, amount_total, currency }: RemoteSession) =>
  `${status} ${payment_status}${amount_total === null ? '' : ` ${money(amount_total, currency ?? '')}`}`;

const localWords = ({ status, payment_status, amount, currency }: RecordedCheckout) =>
  `${status} ${payment_status} ${money(amount, currency)}`;
