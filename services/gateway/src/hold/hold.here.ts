import type { HoldView, PlaceHoldBody } from '@tidegate/contracts/ops/hold';
import type { ReasonBody } from '@tidegate/contracts/ops/reason';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import { HERE, type Here } from '../http/here.js';
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

async function place({ actor, body }: RouteRequest, { db, audit, hold, clock }: Deps) {
  const { restore_point, reason } = body as PlaceHoldBody;
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
