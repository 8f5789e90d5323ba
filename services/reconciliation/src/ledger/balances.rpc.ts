import { LedgerBalancesQuery } from '@tidegate/contracts/requests';
import type { LedgerBalances } from '@tidegate/contracts/responses';
import { problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Clock } from '@tidegate/service-host/clock';
import type { Kysely } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { ACCOUNTS } from './accounts.js';
import { balances } from './balances.query.js';
import { pendingFees } from './pending.query.js';

export interface BalancesParts {
  db: Kysely<ReconciliationTables>;
  clock: Clock;
}

/** `reconciliation.rpc.ledger.balances.v1`: 200 with the balances of the tenant's accounts, or 400. */
export async function answerBalances({ db, clock }: BalancesParts, raw: unknown): Promise<HttpReply> {
  const { tenant, query, request_id } = RouteRequest.parse(raw);
  const asked = LedgerBalancesQuery.safeParse(query);
  if (!asked.success) {
    const errors = asked.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    return jsonReply(400, problemOf('validation.failed', 'The request is not valid', request_id, errors));
  }
  const before = asked.data.before === undefined ? null : new Date(asked.data.before);
  const rows = await balances(db, { tenant, currency: asked.data.currency ?? null, before });
  const { pending } = await pendingFees(db, { tenant, before: before ?? clock.now() });
  const data = rows.map((row) => ({ ...row, object: 'ledger_balance' as const, kind: ACCOUNTS[row.account].kind }));
  return jsonReply(200, { data, fee_pending: pending } satisfies LedgerBalances);
}
