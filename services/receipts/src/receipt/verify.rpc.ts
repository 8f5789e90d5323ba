import type { ReceiptCheck, ReceiptChecks } from '@tidegate/contracts/ops/receipts';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { errorName, issued, makeDocument } from '../document/document.flow.js';
import { isPayerErased } from '../payer/payer-erasure.js';
import { lookUp } from '../store/document-store.port.js';
import type { ReceiptRow } from '../tables.js';
import { receiptListQuery } from './receipt-list-query.js';
import type { ReceiptRpcPorts } from './receipt.rpc.js';
import { countReceipts, listReceipts } from './receipt.store.js';
import { problem } from './replies.js';

/** So many documents are made within what a caller waits for. */
const MOST_PER_PAGE = 25;

/** `receipts.rpc.operator_receipt.verify.v1`: makes the documents of a page of receipts again, compares their bytes with what is on record, and changes nothing. */
export class VerifyRpc {
  constructor(private readonly ports: ReceiptRpcPorts) {}

  async verify(payload: unknown): Promise<HttpReply> {
    const request = RouteRequest.parse(payload);
    const query = receiptListQuery(request.query);
    if ('faults' in query) return problem(request, 'validation.failed', 'The query is not valid.', query.faults);
    const limit = Math.min(query.limit, MOST_PER_PAGE);
    const tenant = query.tenant ?? null;
    const rows = await listReceipts(this.ports.db, tenant, { ...query, limit });
    const page = rows.slice(0, limit);
    const data: ReceiptCheck[] = [];
    for (const row of page) data.push(await this.check(row));
    const hasMore = rows.length > page.length;
    return jsonReply(200, {
      data,
      has_more: hasMore,
      next_cursor: hasMore ? (page.at(-1)?.receipt_id ?? null) : null,
      total: await countReceipts(this.ports.db, tenant, query),
    } satisfies ReceiptChecks);
  }

  private async check(row: ReceiptRow): Promise<ReceiptCheck> {
    const about = { id: row.receipt_id, number: row.number, tenant: row.tenant };
    const { sha256, tenant, receipt_id: receiptId } = row;
    if (sha256 === null) return { ...about, result: 'not_rendered', stored: 'missing', error: row.error };
    const stored = await lookUp(this.ports.store, { tenant, receiptId, sha256 }).then(
      ({ found }) => found,
      () => 'unreadable' as const,
    );
    try {
      const again = await makeDocument(this.ports, await issued(this.ports.db, row.payment_id, receiptId), 'as_shown');
      const sameParts = again.template === row.template && again.engine === row.engine && again.fonts === row.fonts;
      const differing = async () => ((await isPayerErased(this.ports.db, row.payment_id)) ? 'erased' : 'differs');
      const result = again.sha256 === sha256 ? 'same' : sameParts ? await differing() : 'other_parts';
      return { ...about, result, stored, error: null };
    } catch (error) {
      return { ...about, result: 'failed', stored, error: errorName(error) };
    }
  }
}
