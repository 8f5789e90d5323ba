import { createHash, randomBytes } from 'node:crypto';
import { WrongExpectedVersion } from '@tidegate/event-store/append';
import { type ProblemCode, problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Failpoints } from '@tidegate/database/failpoints';
import { type OperatorAction, recordOperatorAction } from '@tidegate/database/operator-action';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { z } from 'zod';
import type { ReconciliationTables } from '../tables.js';
import { EVERY_TENANT } from './comparison.js';
import { CSV_HEADER, csvOf } from './discrepancy-csv.js';
import type { RunRequested } from './run.events.js';
import { DiscrepancyCsvQuery, DiscrepancyListQuery, discrepancyCursor, runCursor, RunListQuery, RunRequest } from './run.request.decide.js';
import { appendRunEvents, findRun, listDiscrepancies, listRuns, type StoredRun } from './run.store.js';
import { discrepancyView, runView } from './run.view.js';

export interface RunRpcParts {
  db: Kysely<ReconciliationTables>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  /** A run waits for its execution. */
  requested(): void;
}

/** `reconciliation.rpc.run.create.v1`: 201 with the run, the same one for the same Idempotency-Key and body; 400; 422 for another body. */
export async function answerCreate(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const body = RunRequest.safeParse(request.body);
  if (!body.success) return invalid(request, body.error);
  const data = requested(request, body.data);
  const action = repairAction(data);
  try {
    await inTransaction(parts, 'reconciliation.run.request', async (tx) => {
      await appendRunEvents(tx, data.run_id, 0, [{ type: 'RunRequested', data }], request.correlation_id, parts.clock.now());
      if (action) await recordOperatorAction(tx, action, parts.clock.now());
    });
    if (action) parts.logger.warn({ event: 'operator_action', ...action }, 'A run that repairs was asked for');
    parts.requested();
  } catch (error) {
    if (!(error instanceof WrongExpectedVersion)) throw error;
  }
  const run = await findRun(parts.db, data.run_id);
  if (!run) throw new Error(`Bug: run ${data.run_id} was requested and is not there`);
  return run.request_hash === data.request_hash
    ? jsonReply(201, runView(run, request.tenant))
    : problem(request, 'idempotency.mismatch', 'This key was used for another run');
}

/** The same questions of an operator, who orders runs of every tenant and may see all: `reconciliation.rpc.operator_run.create|get|list|discrepancies.v1`. */
export const ofEveryTenant = (raw: unknown): RouteRequest => ({ ...RouteRequest.parse(raw), tenant: EVERY_TENANT });

/** `reconciliation.rpc.run.get.v1`: 200 or 404, another tenant's included. */
export async function answerGet(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const run = await ownRun(parts, request);
  return run ? jsonReply(200, runView(run, request.tenant)) : notFound(request);
}

/** `reconciliation.rpc.run.list.v1`: 200 with a page, newest first, or 400. */
export async function answerList(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const query = RunListQuery.safeParse(request.query);
  if (!query.success) return invalid(request, query.error);
  const { limit, cursor, ...filter } = query.data;
  const rows = await listRuns(parts.db, request.tenant, filter, { limit: limit + 1, after: cursor ?? null });
  return pageReply(rows, limit, (run) => runView(run, request.tenant), runCursor);
}

/** `reconciliation.rpc.run.discrepancies.v1`: 200 with a page in the order found, 400 or 404. */
export async function answerDiscrepancies(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const query = DiscrepancyListQuery.safeParse(request.query);
  if (!query.success) return invalid(request, query.error);
  const run = await ownRun(parts, request);
  if (!run) return notFound(request);
  const { limit, cursor, ...filter } = query.data;
  const rows = await listDiscrepancies(parts.db, run, { ...filter, tenant: request.tenant }, { limit: limit + 1, after: cursor });
  const now = parts.clock.now();
  return pageReply(
    rows,
    limit,
    (row) => discrepancyView(row, now),
    (row) => discrepancyCursor(row.number),
  );
}

/**
 * `reconciliation.rpc.run.discrepancies_csv.v1`: 200 with a page of CSV, the header on the first one; `tidegate-next-cursor` names the next page where there is
 * one. 400 or 404.
 */
export async function answerDiscrepanciesCsv(parts: RunRpcParts, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const query = DiscrepancyCsvQuery.safeParse(request.query);
  if (!query.success) return invalid(request, query.error);
  const run = await ownRun(parts, request);
  if (!run) return notFound(request);
  const { limit, cursor, ...filter } = query.data;
  const rows = await listDiscrepancies(parts.db, run, { ...filter, tenant: request.tenant }, { limit: limit + 1, after: cursor });
  const now = parts.clock.now();
  const page = rows.slice(0, limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return {
    status: 200,
    content_type: 'text/csv; charset=utf-8; header=present',
    headers: {
      'content-disposition': `attachment; filename="${run.run_id}.csv"`,
      'x-content-type-options': 'nosniff',
      ...(last ? { 'tidegate-next-cursor': discrepancyCursor(last.number) } : {}),
    },
    body: (cursor === 0 ? CSV_HEADER : '') + csvOf(page.map((row) => discrepancyView(row, now))),
    encoding: 'utf8',
  };
}

async function ownRun({ db }: RunRpcParts, { params, tenant }: RouteRequest): Promise<StoredRun | null> {
  const run = await findRun(db, params['id'] ?? '');
  return run?.tenant === tenant || run?.tenant === EVERY_TENANT || tenant === EVERY_TENANT ? run : null;
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

/** A report changes nothing. */
function repairAction({ run_id, actor, reason, mode, start_date, end_date, classes }: RunRequested['data']): OperatorAction | null {
  if (mode !== 'repair') return null;
  return { actor, action: 'reconciliation.repair', target: run_id, reason, details: { start_date, end_date, classes } };
}

const sha256 = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

const problem = ({ request_id }: RouteRequest, code: ProblemCode, detail: string): HttpReply => {
  const body = problemOf(code, detail, request_id);
  return jsonReply(body.status, body);
};

const notFound = (request: RouteRequest): HttpReply => problem(request, 'not_found', 'There is no such reconciliation run.');

function invalid({ request_id }: RouteRequest, error: z.ZodError): HttpReply {
  const errors = error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  return jsonReply(400, problemOf('validation.failed', 'The request is not valid', request_id, errors));
}
