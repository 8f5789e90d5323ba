import { CheckoutId, PaymentId } from '@tidegate/contracts/ids';
import { type Intent } from '@tidegate/stripe-gateway/intent';
import { foreignPaymentId } from '../idempotency/identity.js';
import { follow } from '../payment/intent.decide.js';
import { type PaymentEvent, type Terms } from '../payment/payment.events.js';
import { replay } from '../payment/payment.evolve.js';
import { type Payment } from '../payment/payment.state.js';
import { type PaidInvoice } from './invoice-of.js';

export interface AdoptionRules {
  livemode: boolean;
  /** `foreign`: intents without our metadata are counted and left alone. */
  unmarked: 'adopt' | 'foreign';
  /** Of objects that nobody else claims: STRIPE_ACCOUNT_TENANTS. */
  tenant: string;
}

/** What is known of an intent besides itself. */
export interface Origin {
  /** The page that made it. */
  session: string | null;
  /** The invoice that it pays. */
  invoice: PaidInvoice | null;
  /** Whose it is if neither says so. */
  tenant: string;
}

/** A payment that we did not know, made from its intent at Stripe; or why it is none of ours. */
export type Adoption = { kind: 'adopted'; terms: Terms; events: PaymentEvent[] } | { kind: 'foreign'; reason: string };

/**
 * Intents of this account that no payment of ours stands for: made by a person in the dashboard or by another program (origin dashboard), or ours from before
 * a restore of the database (they carry our ids and keep them), or by the page of a checkout of ours, or by Stripe for an invoice. An invoice that names a tenant
 * speaks for its intent, which carries no ids of ours.
 */
export function adopt(intent: Intent, rules: AdoptionRules, now: Date, { session, invoice, tenant }: Origin): Adoption {
  if (intent.livemode !== rules.livemode) return { kind: 'foreign', reason: 'other livemode' };
  const ours = ownIds(intent, session);
  if (!ours && !invoice?.tenant && rules.unmarked === 'foreign') return { kind: 'foreign', reason: 'unmarked intent' };
  const terms: Terms = {
    payment_id: ours?.payment_id ?? foreignPaymentId(null, intent.id),
    tenant: ours?.tenant ?? invoice?.tenant ?? tenant,
    origin: ours?.origin ?? (invoice?.subscription ? 'subscription' : 'dashboard'),
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

interface OwnIds {
  payment_id: string;
  tenant: string;
  origin: 'api' | 'checkout';
}

/** Of a checkout, the payment's id follows from the page that was paid. */
function ownIds({ id, metadata }: Intent, session: string | null): OwnIds | null {
  const { payment_id, tenant_id, checkout_id } = metadata;
  if (!tenant_id) return null;
  if (isOfCheckout({ metadata })) return { payment_id: foreignPaymentId(null, session ?? id), tenant: tenant_id, origin: 'checkout' };
  return PaymentId.safeParse(payment_id).success && payment_id && !checkout_id ? { payment_id, tenant: tenant_id, origin: 'api' } : null;
}

/** Made by one of our pages. */
export const isOfCheckout = ({ metadata }: Pick<Intent, 'metadata'>): boolean =>
  CheckoutId.safeParse(metadata['checkout_id']).success && !!metadata['tenant_id'];

const RESERVED = ['tenant_id', 'payment_id', 'refund_id', 'checkout_id', 'command_id'];

const foreignMetadata = ({ metadata }: Intent): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !RESERVED.includes(key)));
