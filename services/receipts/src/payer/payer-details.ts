import { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { noPaymentDetails, PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { type RouteRequest, RPC } from '@tidegate/contracts/rpc/routes';
import type { Clock } from '@tidegate/service-host/clock';
import type { Kysely } from 'kysely';
import type { ReceiptFacts } from '../document/receipt-facts.js';
import type { Tables } from '../tables.js';
import type { Ask } from '../tenant/tenant-copy.js';
import { keepPayer } from './payer-erasure.js';

const TIMEOUT_MS = 2000;

/** Payments does not answer, so the document has to wait; its number does not. */
export class PayerUnavailable extends Error {
  override readonly name = 'PayerUnavailable';
}
/** Payments answers that there is no such payment, although it told of its success: its records are behind or lost, and somebody has to look. */
export class PaymentUnknown extends Error {
  override readonly name = 'PaymentUnknown';
}

/** What stands on a document beyond the published payment: asked of payments once, then kept in the erasable table `payers`. */
export class PayerDetails {
  constructor(private readonly at: { db: Kysely<Tables>; ask: Ask; clock: Clock }) {}

  /** Throws PayerUnavailable or PaymentUnknown. */
  async of(facts: ReceiptFacts, correlationId: string): Promise<PaymentDetails> {
    const { db, clock } = this.at;
    const kept = await db.selectFrom('payers').select('details').where('payment_id', '=', facts.payment_id).executeTakeFirst();
    if (kept) return PaymentDetails.parse(kept.details);
    const details = await this.asked(facts, correlationId);
    return keepPayer(db, { payment_id: facts.payment_id, tenant: facts.tenant, details, fetched_at: clock.now() });
  }

  private async asked(facts: ReceiptFacts, correlationId: string): Promise<PaymentDetails> {
    const reply = await this.reply(requestFor(facts, correlationId));
    if (reply.status === 404) throw new PaymentUnknown(`payments knows no ${facts.payment_id}`);
    if (reply.status !== 200) throw new PayerUnavailable(`payments answered ${reply.status} for ${facts.payment_id}`);
    const { details } = JSON.parse(reply.body) as { details?: unknown };
    return details === undefined ? noPaymentDetails : PaymentDetails.parse(details);
  }

  private async reply(request: RouteRequest): Promise<HttpReply> {
    try {
      return HttpReply.parse(await this.at.ask.request(RPC.paymentGet, request, { timeoutMs: TIMEOUT_MS }));
    } catch (error) {
      throw new PayerUnavailable(`payments does not answer: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function requestFor(facts: ReceiptFacts, correlationId: string): RouteRequest {
  return {
    tenant: facts.tenant,
    actor: 'service:receipts',
    request_id: facts.receipt_id,
    correlation_id: correlationId,
    route: `GET /v1/payments/${facts.payment_id}`,
    params: { id: facts.payment_id },
    query: { expand: 'details' },
    idempotency_key: null,
    respond_async: false,
    livemode: facts.livemode,
    body: null,
  };
}
