import { PaymentId } from '@tidegate/contracts/ids';
import { type Intent } from '@tidegate/stripe-gateway/intent';
import { foreignPaymentId } from '../idempotency/identity.js';
import { follow } from '../payment/intent.decide.js';
import { type PaymentEvent, type Terms } from '../payment/payment.events.js';
import { replay } from '../payment/payment.evolve.js';
import { type Payment } from '../payment/payment.state.js';

export interface AdoptionRules {
  livemode: boolean;
  /** `foreign`: intents without our metadata are counted and left alone. */
  unmarked: 'adopt' | 'foreign';
}

/** A payment that we did not know, made from its intent at Stripe; or why it is none of ours. */
export type Adoption = { kind: 'adopted'; terms: Terms; events: PaymentEvent[] } | { kind: 'foreign'; reason: string };

/** Payments that carry no tenant of ours belong to this one. */
const TENANT_OF_UNMARKED = 'default';

/**
 * Intents of this account that no payment of ours stands for: made by a person in the dashboard or by another program (origin dashboard), or ours from before
 * a restore of the database (they carry our ids and keep them).
 */
export function adopt(intent: Intent, rules: AdoptionRules, now: Date): Adoption {
  if (intent.livemode !== rules.livemode) return { kind: 'foreign', reason: 'other livemode' };
  const ours = ownIds(intent);
  if (!ours && rules.unmarked === 'foreign') return { kind: 'foreign', reason: 'unmarked intent' };
  const terms: Terms = {
    payment_id: ours?.payment_id ?? foreignPaymentId(null, intent.id),
    tenant: ours?.tenant ?? TENANT_OF_UNMARKED,
    origin: ours ? 'api' : 'dashboard',
    livemode: intent.livemode,
    amount: intent.amount,
    currency: intent.currency,
    capture_method: intent.capture_method,
    customer: intent.customer,
    metadata: foreignMetadata(intent),
    payment_method: null,
    not_after: now.toISOString(),
  };
  const adopted: PaymentEvent = { type: 'PaymentAdopted', data: { terms, intent_id: intent.id } };
  const state = replay([{ ...adopted, at: now.toISOString() }]) as Payment;
  return { kind: 'adopted', terms, events: [adopted, ...follow(state, intent, 'answer')] };
}

function ownIds({ metadata }: Intent): { payment_id: string; tenant: string } | null {
  const { payment_id, tenant_id } = metadata;
  return PaymentId.safeParse(payment_id).success && payment_id && tenant_id ? { payment_id, tenant: tenant_id } : null;
}

const RESERVED = ['tenant_id', 'payment_id', 'refund_id', 'checkout_id', 'command_id'];

const foreignMetadata = ({ metadata }: Intent): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !RESERVED.includes(key)));
