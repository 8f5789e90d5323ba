import { createHash, randomBytes } from 'node:crypto';
import { WrongExpectedVersion } from '@tidegate/event-store/append';
import { type ProblemCode, problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Kysely } from 'kysely';
import type { z } from 'zod';
import type { ReconciliationTables } from '../tables.js';
import type { RunRequested } from './run.events.js';
import { DiscrepancyListQuery, discrepancyCursor, runCursor, RunListQuery, RunRequest } from './run.request.decide.js';
import { appendRunEvents, findRun, listDiscrepancies, listRuns, type StoredRun } from './run.store.js';
import { discrepancyView, runView } from './run.view.js';

export interface RunRpcParts {
  db: Kysely<ReconciliationTables>;
  failpoints: Failpoints;
  clock: Clock;
  /** A run waits for its execution. */
  requested(): void;
}

/** `reconciliation.rpc.run.create.v1`: 201 with the run, the same one for the same Idempotency-Key and body; 400; 422 for another body. */
export async function answerCreate(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const body = RunRequest.safeParse(request.body);
  if (!body.success) return invalid(request, body.error);
  const data = requested(request, body.data);
  try {
    await inTransaction(parts, 'reconciliation.run.request', (tx) =>
      appendRunEvents(tx, data.run_id, 0, [{ type: 'RunRequested', data }], request.correlation_id, parts.clock.now()),
    );
    parts.requested();
  } catch (error) {
    if (!(error instanceof WrongExpectedVersion)) throw error;
  }
  const run = await findRun(parts.db, data.run_id);
  if (!run) throw new Error(`Bug: run ${data.run_id} was requested and is not there`);
  return run.request_hash === data.request_hash
    ? jsonReply(201, runView(run))
    : problem(request, 'idempotency.mismatch', 'This key was used for another run');
}

/** `reconciliation.rpc.run.get.v1`: 200 or 404, another tenant's included. */
export async function answerGet(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const run = await ownRun(parts, request);
  return run ? jsonReply(200, runView(run)) : notFound(request);
}

/** `reconciliation.rpc.run.list.v1`: 200 with a page, newest first, or 400. */
export async function answerList(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const query = RunListQuery.safeParse(request.query);
  if (!query.success) return invalid(request, query.error);
  const rows = await listRuns(parts.db, request.tenant, query.data.limit + 1, query.data.cursor ?? null);
  return pageReply(rows, query.data.limit, runView, runCursor);
}

/** `reconciliation.rpc.run.discrepancies.v1`: 200 with a page in the order found, 400 or 404. */
export async function answerDiscrepancies(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const query = DiscrepancyListQuery.safeParse(request.query);
  if (!query.success) return invalid(request, query.error);
  const run = await ownRun(parts, request);
  if (!run) return notFound(request);
  const rows = await listDiscrepancies(parts.db, run.run_id, query.data.limit + 1, query.data.cursor);
  const now = parts.clock.now();
  return pageReply(
    rows,
    query.data.limit,
    (row) => discrepancyView(row, now),
    (row) => discrepancyCursor(row.number),
  );
}

async function ownRun({ db }: RunRpcParts, { params, tenant }: RouteRequest): Promise<StoredRun | null> {
  const run = await findRun(db, params['id'] ?? '');
  return run?.tenant === tenant ? run : null;
}

function pageReply<R>(rows: readonly R[], limit: number, view: (row: R) => unknown, cursor: (row: R) => string): HttpReply {
  const page = rows.slice(0, limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return jsonReply(200, { data: page.map(view), has_more: last !== undefined, next_cursor: last === undefined ? null : cursor(last) });
}

function requested({ tenant, route, idempotency_key, actor }: RouteRequest, body: RunRequest): RunRequested['data'] {
  const { start_date, end_date, mode, reason } = body;
  const classes = body.classes ?? null;
  const request_hash = sha256([start_date, end_date, mode, classes, reason]);
  const id = idempotency_key === null ? randomBytes(16).toString('hex') : sha256([tenant, route, idempotency_key]).slice(0, 32);
  return { run_id: `rec_${id}`, tenant, mode, start_date, end_date, classes, reason, actor, request_hash };
}

const sha256 = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

const problem = ({ request_id }: RouteRequest, code: ProblemCode, detail: string): HttpReply => {
  const body = problemOf(code, detail, request_id);
  return jsonReply(body.status, body);
};

const notFound = (request: RouteRequest): HttpReply => problem(request, 'not_found', 'There is no such reconciliation run');

function invalid({ request_id }: RouteRequest, error: z.ZodError): HttpReply {
  const errors = error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  return jsonReply(400, problemOf('validation.failed', 'The request is not valid', request_id, errors));
}
