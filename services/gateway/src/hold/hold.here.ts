import type { HoldView, PlaceHoldBody } from '@tidegate/contracts/ops/hold';
import type { ReasonBody } from '@tidegate/contracts/ops/reason';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import { HERE, type Here } from '../http/here.js';
import { ProblemError } from '../http/problem-error.js';
import type { Audit } from '../ops/audit.js';
import type { GatewayTables } from '../tables.js';
import type { Hold } from './hold.js';
import { findHold, type HoldRow, placeHold, releaseHold } from './hold.store.js';

interface Deps {
  db: Kysely<GatewayTables>;
  audit: Audit;
  hold: Hold;
  clock: { now(): Date };
}

/** The handlers of `/v1/ops/hold`. */
export function holdHandlers(deps: Deps): Here {
  return {
    [HERE.holdGet]: async () => jsonReply(200, view(await findHold(deps.db))),
    [HERE.holdPlace]: (request) => place(request, deps),
    [HERE.holdRelease]: (request) => release(request, deps),
  };
}

/** What the clock of whoever asks may be ahead. */
const SKEW_MS = 60_000;
const FUTURE = 'is in the future: it must be the instant of the backup';

async function place({ actor, body }: RouteRequest, { db, audit, hold, clock }: Deps) {
  const { restore_point, reason } = body as PlaceHoldBody;
  // Nothing would be looked for, and requests would be taken again without a word.
  if (Date.parse(restore_point) > clock.now().getTime() + SKEW_MS)
    throw new ProblemError('validation.failed', `The body is not valid: restore_point: ${FUTURE}.`, {
      errors: [{ path: 'restore_point', message: FUTURE }],
    });
  const action = { actor, action: 'hold.place', target: 'hold', reason, details: { restore_point } };
  await audit.change(action, (tx) => placeHold(tx, { restore_point: new Date(restore_point), reason, actor, held_at: clock.now() }));
  hold.forget();
  return jsonReply(200, view(await findHold(db)));
}

async function release({ actor, body }: RouteRequest, { db, audit, hold }: Deps) {
  const { reason } = body as ReasonBody;
  const action = { actor, action: 'hold.release', target: 'hold', reason, details: {} };
  await audit.change(
    action,
    (tx) => releaseHold(tx),
    (released) => released,
  );
  hold.forget();
  return jsonReply(200, view(await findHold(db)));
}

const view = (row: HoldRow | undefined): HoldView => ({
  object: 'hold',
  held: row !== undefined,
  restore_point: row?.restore_point.toISOString() ?? null,
  held_at: row?.held_at.toISOString() ?? null,
  reason: row?.reason ?? null,
  actor: row?.actor ?? null,
});
