import { type Failpoints } from '@tidegate/database/failpoints';
import { type Intent, type Refund as StripeRefund } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Kysely } from 'kysely';
import { detailsOf } from '../idempotency/idempotency.store.js';
import { type PaymentsTables, type RequestDetails } from '../tables.js';
import { type Payment, type Pending, type Refund } from './payment.state.js';

/** The details of the request in hand, which need not be read again. */
export interface KnownDetails {
  command_id: string;
  details: RequestDetails;
}

export interface StripeCallsDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  failpoints: Failpoints;
}

/**
 * The calls that change something at Stripe. All they send follows from the accepted request and our ids, never from the time of the call, so that a repeated
 * call is byte-equal; their keys are `{command}:{step}:{n}`.
 */
export class StripeCalls {
  constructor(private readonly deps: StripeCallsDeps) {}

  /** The call that the command's latest submission stands for. */
  async make(payment: Payment, pending: Pending, known: KnownDetails | null): Promise<StripeOutcome<Intent>> {
    const { submission } = pending;
    if (!submission) throw new Error('Bug: a call that was not committed to');
    const stripe = this.at(`payments.${operationNameOf(pending)}.${submission.step}`);
    const key = `${pending.command_id}:${submission.step}:${submission.n}`;
    switch (submission.step) {
      case 'intent':
        return stripe.createIntent(intentParams(payment, pending.command_id, await this.details(pending, known)), key);
      case 'confirm':
        return stripe.confirmIntent(
          intentIdOf(payment),
          confirmParams(methodOf(payment, pending), await this.confirmDetails(payment, pending, known)),
          key,
        );
      case 'capture':
        return stripe.captureIntent(
          intentIdOf(payment),
          pending.kind === 'capture' && pending.amount !== null ? { amount: pending.amount } : {},
          key,
        );
      case 'cancel':
        return stripe.cancelIntent(intentIdOf(payment), cancelParams(pending), key);
      default:
        return submission.step satisfies never;
    }
  }

  /** A refund has one key for ever. */
  refund(payment: Payment, refund: Refund): Promise<StripeOutcome<StripeRefund>> {
    if (refund.command_id === null) throw new Error('Bug: a refund that nobody asked us for');
    const metadata = { ...ourIds(payment, refund.command_id), refund_id: refund.id };
    const reason = refund.reason === null ? {} : { reason: refund.reason as 'duplicate' };
    return this.at('payments.refund.refund').createRefund(
      { intent: intentIdOf(payment), amount: refund.amount, metadata, ...reason },
      `${refund.command_id}:refund:1`,
    );
  }

  cancelOrphan(payment: Payment, intentId: string): Promise<StripeOutcome<Intent>> {
    return this.at('payments.orphan.cancel').cancelIntent(
      intentId,
      { reason: 'duplicate' },
      `${payment.terms.payment_id}:orphan:${intentId}`,
    );
  }

  /** The port with the failpoints of one step around each call. */
  at(name: string): StripePort {
    return withFailpoints(this.deps.stripe, this.deps.failpoints, name);
  }

  /** An intent that was made with a return_url demands one at every confirm, so that of the payment goes with a confirm that names none. */
  private async confirmDetails(payment: Payment, pending: Pending, known: KnownDetails | null): Promise<RequestDetails> {
    const own = await this.details(pending, known);
    if (own.return_url !== undefined || payment.command_id === null || payment.command_id === pending.command_id) return own;
    const { return_url } = await detailsOf(this.deps.db, payment.command_id);
    return return_url === undefined ? own : { ...own, return_url };
  }

  private async details(pending: Pending, known: KnownDetails | null): Promise<RequestDetails> {
    return known?.command_id === pending.command_id ? known.details : detailsOf(this.deps.db, pending.command_id);
  }
}

function operationNameOf(pending: Pending): string {
  return pending.submission?.step === 'cancel' ? 'cancel' : pending.kind;
}

function intentParams({ terms }: Payment, commandId: string, details: RequestDetails) {
  return {
    amount: terms.amount,
    currency: terms.currency,
    captureMethod: terms.capture_method,
    allowRedirects: details.return_url === undefined ? ('never' as const) : ('always' as const),
    metadata: { ...terms.metadata, tenant_id: terms.tenant, payment_id: terms.payment_id, command_id: commandId },
    ...(terms.customer === null ? {} : { customer: terms.customer }),
    ...(details.description === undefined ? {} : { description: details.description }),
    ...(details.receipt_email === undefined ? {} : { receiptEmail: details.receipt_email }),
    ...(details.setup_future_usage === undefined ? {} : { setupFutureUsage: details.setup_future_usage }),
  };
}

const confirmParams = (paymentMethod: string, details: RequestDetails) => ({
  paymentMethod,
  ...(details.return_url === undefined ? {} : { returnUrl: details.return_url }),
  ...(details.off_session === undefined ? {} : { offSession: details.off_session }),
});

const REASONS = ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'] as const;

function cancelParams(pending: Pending): { reason?: (typeof REASONS)[number] } {
  const wanted = pending.kind === 'cancel' ? pending.reason : null;
  const reason = REASONS.find((one) => one === wanted);
  return reason ? { reason } : {};
}

function methodOf(payment: Payment, pending: Pending): string {
  const method = pending.kind === 'confirm' ? pending.payment_method : payment.terms.payment_method;
  if (method === null) throw new Error('Bug: a confirm without a payment method');
  return method;
}

export function intentIdOf(payment: Payment): string {
  if (payment.intent_id === null) throw new Error('Bug: a call on an intent whose id is not committed');
  return payment.intent_id;
}

const ourIds = (payment: Payment, commandId: string) => ({
  tenant_id: payment.terms.tenant,
  payment_id: payment.terms.payment_id,
  command_id: commandId,
});
