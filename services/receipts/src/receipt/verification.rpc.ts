import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import { loadReceipts } from './receipt.record.js';
import { findVerified } from './receipt.store.js';
import type { Tables } from '../tables.js';
import { notFound } from './replies.js';
import { verificationPage } from './verification-page.js';

/**
 * `receipts.rpc.receipt_verification.get.v1`: the page behind the code on a document. It says what was issued under the number and whether that still counts, and
 * nothing about who paid.
 */
export class VerificationRpc {
  constructor(private readonly ports: { db: Kysely<Tables> }) {}

  async page(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    const row = await findVerified(this.ports.db, request.params['token'] ?? '');
    const receipt = row && (await loadReceipts(this.ports.db, row.payment_id)).receipts.get(row.receipt_id);
    if (!receipt) return notFound(request);
    return {
      status: 200,
      content_type: 'text/html; charset=utf-8',
      headers: {
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
      },
      body: verificationPage(receipt),
      encoding: 'utf8',
    };
  }
}
