import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Logger } from '@tidegate/telemetry/logger';
import type { DocumentPorts } from '../document/document.flow.js';
import { documentOf } from '../document/document-on-read.js';
import type { Links } from '../link/links.js';
import type { ReceiptRow } from '../tables.js';
import { receiptListQuery } from './receipt-list-query.js';
import { findReceipt, findReceiptOfPayment, listReceipts } from './receipt.store.js';
import { operatorReceiptView, receiptView } from './receipt.view.js';
import { cannotBeMade, notFound, pdfReply, problem } from './replies.js';

export interface ReceiptRpcPorts extends DocumentPorts {
  logger: Logger;
  links: Links;
}

/**
 * Answers to the gateway. What a tenant asks for is looked up under that tenant, so another tenant's receipt is a 404 like one that never was; operators see all.
 */
export class ReceiptRpc {
  constructor(private readonly ports: ReceiptRpcPorts) {}

  list(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    return this.page(request, request.tenant, receiptView);
  }

  listForOperators(payload: unknown): Promise<HttpReply> {
    return this.page(RouteRequest.parse(payload), null, operatorReceiptView);
  }

  async get(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    return this.view(request, await findReceipt(this.ports.db, request.tenant, idIn(request)), receiptView);
  }

  async getForOperators(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    return this.view(request, await findReceipt(this.ports.db, null, idIn(request)), operatorReceiptView);
  }

  async ofPayment(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    return this.view(request, await findReceiptOfPayment(this.ports.db, request.tenant, idIn(request)), receiptView);
  }

  async pdf(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    const receipt = await findReceipt(this.ports.db, request.tenant, idIn(request));
    return receipt ? this.document(request, receipt, 'attachment') : notFound(request);
  }

  /** What a signed link leads to. The link is the only proof: 410 `receipts.link_expired` when it is too old, 404 when it is none. */
  async openLink(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    const link = await this.ports.links.read(request.params['token'] ?? '');
    if (link.kind === 'unknown') return notFound(request);
    if (link.kind === 'expired') return problem(request, 'receipts.link_expired', 'Ask whoever gave you the link for a new one.');
    const receipt = await findReceipt(this.ports.db, null, link.receiptId);
    return receipt ? this.document(request, receipt, 'inline') : notFound(request);
  }

  private async document(request: RouteRequest, receipt: ReceiptRow, how: 'attachment' | 'inline'): Promise<HttpReply> {
    try {
      return pdfReply(receipt, (await documentOf(this.ports, receipt)).pdf, how);
    } catch (err) {
      this.ports.logger.error(
        { event: 'receipt_render_failed', receipt_id: receipt.receipt_id, payment_id: receipt.payment_id, err },
        'The document asked for could not be made',
      );
      return cannotBeMade(request, 'service.unavailable', 'The receipt has its number; its document cannot be made right now.');
    }
  }

  private async page(
    request: RouteRequest,
    tenant: string | null,
    shown: typeof receiptView | typeof operatorReceiptView,
  ): Promise<HttpReply> {
    const query = receiptListQuery(request.query);
    if ('faults' in query) return problem(request, 'validation.failed', 'The query is not valid.', query.faults);
    const rows = await listReceipts(this.ports.db, tenant ?? query.tenant ?? null, query);
    const page = rows.slice(0, query.limit);
    const hasMore = rows.length > page.length;
    const link = await this.ports.links.make();
    return jsonReply(200, {
      data: page.map((row) => shown(row, link)),
      has_more: hasMore,
      next_cursor: hasMore ? (page.at(-1)?.receipt_id ?? null) : null,
    });
  }

  private async view(
    request: RouteRequest,
    row: ReceiptRow | undefined,
    shown: typeof receiptView | typeof operatorReceiptView,
  ): Promise<HttpReply> {
    return row ? jsonReply(200, shown(row, await this.ports.links.make())) : notFound(request);
  }
}

const idIn = (request: RouteRequest): string => request.params['id'] ?? '';
