import { WrongExpectedVersion } from '@tidegate/event-store/append';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../tables.js';
import { TenantUnavailable } from '../tenant/tenant-copy.js';
import { issueForPayment } from './receipt.flow.js';
import type { IssuingPorts } from './receipts-payments.consumer.js';

export interface IssueRpcPorts extends IssuingPorts {
  db: Kysely<Tables>;
}

const IssueBody = z.object({ payment: PaymentSnapshot, reason: z.string() });

/**
 * `receipts.rpc.receipt.issue.v1`: gives a payment that succeeded its receipt, for who finds that it has none; the same number source and the same id as when its
 * event is handled, so that it never has two. 202 `{ action: issued }`; 422 when it has not succeeded; 503 while the gateway does not tell the tenant.
 */
export class IssueRpc {
  constructor(private readonly ports: IssueRpcPorts) {}

  async issue(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    const body = IssueBody.safeParse(request.body);
    if (!body.success) return problem(request, 'validation.failed', 'Give the payment as it was published, and a reason.');
    const { payment } = body.data;
    if (payment.status !== 'succeeded') return problem(request, 'payments.illegal_state', 'Only a payment that succeeded has a receipt.');
    try {
      return await this.issueFor(request, payment);
    } catch (error) {
      if (error instanceof TenantUnavailable) return problem(request, 'service.unavailable', 'The tenant is not known right now.');
      // Its event was handled at the same moment.
      if (error instanceof WrongExpectedVersion) return jsonReply(202, { action: 'issued' });
      throw error;
    }
  }

  private async issueFor(request: RouteRequest, payment: PaymentSnapshot): Promise<HttpReply> {
    const { db, tenants, clock, logger, numberFormat, publicUrl, issued } = this.ports;
    const tenant = await tenants.get(request.tenant);
    const cause = { id: request.request_id, correlation_id: request.correlation_id, traceparent: null };
    const facts = await db
      .transaction()
      .execute((tx) => issueForPayment(tx, { payment, tenant, cause, now: clock.now(), numberFormat, publicUrl, template: 'receipt' }));
    if (facts) {
      const { number: receipt_number, receipt_id, payment_id } = facts;
      logger.warn(
        { event: 'receipt_issued', receipt_number, receipt_id, payment_id, tenant: tenant.id, actor: request.actor },
        'A missing receipt was issued',
      );
      issued();
    }
    return jsonReply(202, { action: 'issued' });
  }
}

function problem({ request_id }: RouteRequest, code: Parameters<typeof problemOf>[0], detail: string): HttpReply {
  const body = problemOf(code, detail, request_id);
  return jsonReply(body.status, body);
}
