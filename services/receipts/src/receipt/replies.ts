import { type ProblemCode, PROBLEMS, problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { ReceiptRow } from '../tables.js';

type Fault = { path: string; message: string };

export function problem(request: Pick<RouteRequest, 'request_id'>, code: ProblemCode, detail: string, faults?: Fault[]): HttpReply {
  return jsonReply(PROBLEMS[code].status, problemOf(code, detail, request.request_id, faults));
}

export const notFound = (request: RouteRequest): HttpReply => problem(request, 'not_found', 'There is no such receipt.');

/** The number stands; only its document has to wait. */
export function cannotBeMade(request: RouteRequest, code: ProblemCode, detail: string): HttpReply {
  const reply = problem(request, code, detail);
  return { ...reply, headers: { ...reply.headers, 'retry-after': '5' } };
}

/** `how`: saved as a file, or shown where a link was followed. */
export function pdfReply(receipt: Pick<ReceiptRow, 'number'>, pdf: Uint8Array, how: 'attachment' | 'inline'): HttpReply {
  return {
    status: 200,
    content_type: 'application/pdf',
    headers: {
      'content-disposition': contentDisposition(`${receipt.number}.pdf`, how),
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
    },
    body: Buffer.from(pdf).toString('base64'),
    encoding: 'base64',
  };
}

/** RFC 6266: a plain name for old clients, the exact one in RFC 8187's encoding for all others. */
export function contentDisposition(name: string, how: 'attachment' | 'inline' = 'attachment'): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_');
  const exact = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${how}; filename="${plain}"; filename*=UTF-8''${exact}`;
}
