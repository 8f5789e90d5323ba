import { type ProblemCode, PROBLEMS, problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Logger } from '@tidegate/telemetry/logger';
import type { DocumentPorts } from '../document/document.flow.js';
import { documentOf } from '../document/document-on-read.js';
import type { ReceiptRow } from '../tables.js';
import { receiptListQuery } from './receipt-list-query.js';
import { findReceipt, findReceiptOfPayment, listReceipts } from './receipt.store.js';
import { receiptView } from './receipt.view.js';

/** Answers to the gateway. Everything is looked up under the caller's tenant, so another tenant's receipt is a 404 like one that never was. */
export class ReceiptRpc {
  constructor(private readonly ports: DocumentPorts & { logger: Logger }) {}

  async list(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    const query = receiptListQuery(request.query);
    if ('faults' in query) return problem(request, 'validation.failed', 'The query is not valid.', query.faults);
    const rows = await listReceipts(this.ports.db, request.tenant, query);
    const page = rows.slice(0, query.limit);
    const hasMore = rows.length > page.length;
    return jsonReply(200, {
      data: page.map(receiptView),
      has_more: hasMore,
      next_cursor: hasMore ? (page.at(-1)?.receipt_id ?? null) : null,
    });
  }

  async get(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    return view(request, await findReceipt(this.ports.db, request.tenant, request.params['id'] ?? ''));
  }

  async ofPayment(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    return view(request, await findReceiptOfPayment(this.ports.db, request.tenant, request.params['id'] ?? ''));
  }

  async pdf(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    const receipt = await findReceipt(this.ports.db, request.tenant, request.params['id'] ?? '');
    if (!receipt) return notFound(request);
    try {
      const { pdf } = await documentOf(this.ports, receipt);
      return {
        status: 200,
        content_type: 'application/pdf',
        headers: pdfHeaders(receipt),
        body: Buffer.from(pdf).toString('base64'),
        encoding: 'base64',
      };
    } catch (err) {
      this.ports.logger.error(
        { event: 'receipt_render_failed', receipt_id: receipt.receipt_id, payment_id: receipt.payment_id, err },
        'The document asked for could not be made',
      );
      const reply = problem(request, 'service.unavailable', 'The receipt has its number; its document cannot be made right now.');
      return { ...reply, headers: { ...reply.headers, 'retry-after': '5' } };
    }
  }
}

function pdfHeaders(receipt: ReceiptRow): Record<string, string> {
  return {
    'content-disposition': contentDisposition(`${receipt.number}.pdf`),
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
  };
}

/** RFC 6266: a plain name for old clients, the exact one in RFC 8187's encoding for all others. */
export function contentDisposition(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_');
  const exact = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

const view = (request: RouteRequest, row: ReceiptRow | undefined): HttpReply =>
  row ? jsonReply(200, receiptView(row)) : notFound(request);

const notFound = (request: RouteRequest): HttpReply => problem(request, 'not_found', 'There is no such receipt.');

function problem(request: RouteRequest, code: ProblemCode, detail: string, faults?: { path: string; message: string }[]): HttpReply {
  return jsonReply(PROBLEMS[code].status, problemOf(code, detail, request.request_id, faults));
}
