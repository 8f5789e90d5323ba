import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { type Kysely } from 'kysely';
import { problemReply } from '../payment/payment.reply.js';
import { type PaymentsTables } from '../tables.js';
import { findByStripeId } from './customer.store.js';

/** Whether a customer may be used by a tenant. One that was made here is known; any other belongs to the tenant that its metadata at Stripe names. */
export class CustomerCheck {
  constructor(private readonly deps: { db: Kysely<PaymentsTables>; stripe: StripePort }) {}

  /** Null when it may; a customer of another tenant is as good as not there. */
  async fault(customer: string, request: RouteRequest): Promise<HttpReply | null> {
    const known = await findByStripeId(this.deps.db, customer);
    if (known) return known.tenant === request.tenant && known.status === 'active' ? null : missing(request);
    const outcome = await this.deps.stripe.retrieveCustomer(customer);
    if (outcome.kind === 'ok' && !outcome.value.deleted && outcome.value.metadata['tenant_id'] === request.tenant) return null;
    if (outcome.kind === 'ok' || outcome.kind === 'not_found') return missing(request);
    const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : 5000;
    const detail = 'The customer could not be checked; nothing was begun.';
    return problemReply('payments.stripe_unavailable', detail, request.request_id, { retryAfterMs });
  }
}

const missing = (request: RouteRequest): HttpReply => problemReply('not_found', 'There is no such customer.', request.request_id);
