import type { ApiKeyView, NewApiKeyView, RotatedApiKeyView } from '@tidegate/contracts/ops/api-keys';
import type { ReasonBody } from '@tidegate/contracts/ops/reason';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import { HERE, type Here } from '../http/here.js';
import { byId, pageOf } from '../http/list-reply.js';
import { ProblemError } from '../http/problem-error.js';
import type { Audit } from '../ops/audit.js';
import type { GatewayTables } from '../tables.js';
import { type CreateApiKeyBody, DEFAULT_OVERLAP_SECONDS, type RotateApiKeyBody } from './api-key.requests.js';
import { type ApiKeyRow, endAt, insertApiKey, listApiKeys, lockApiKey, revoke, TenantMissing } from './api-key.store.js';
import { hashOf, newKey } from './key-format.js';

export interface ApiKeyDeps {
  db: Kysely<GatewayTables>;
  audit: Audit;
  /** A key that changed here must be known here at once; other gateways learn of it within seconds. */
  forget(id: string): void;
}

/** The handlers of `/v1/ops/api-keys`. Keys end on the wall clock, by which they are refused. */
export function apiKeyHandlers(deps: ApiKeyDeps): Here {
  return {
    [HERE.apiKeyCreate]: (request) => create(deps, request),
    [HERE.apiKeyList]: (request) => list(deps, request),
    [HERE.apiKeyRotate]: (request) => rotate(deps, request),
    [HERE.apiKeyRevoke]: (request) => revokeKey(deps, request),
  };
}

async function create({ audit }: ApiKeyDeps, request: RouteRequest) {
  const { tenant, scopes, livemode = false, expires_at, reason } = request.body as CreateApiKeyBody;
  const { id, key } = newKey(livemode ? 'live' : 'test');
  const action = { actor: request.actor, action: 'api_key.create', target: id, reason, details: { tenant, scopes, livemode, expires_at } };
  const made = { id, tenant, scopes, livemode, hash: hashOf(key), expiresAt: expires_at === undefined ? null : new Date(expires_at) };
  try {
    const row = await audit.change(action, (tx) => insertApiKey(tx, made));
    return jsonReply(201, { ...viewOf(row), key } satisfies NewApiKeyView);
  } catch (error) {
    if (error instanceof TenantMissing) throw new ProblemError('not_found', `There is no tenant ${tenant}; make it first.`);
    throw error;
  }
}

async function list({ db }: ApiKeyDeps, request: RouteRequest) {
  const { limit, after } = byId(request);
  const { tenant, status } = request.query;
  return pageOf(await listApiKeys(db, { tenant, status, after, now: new Date(), limit: limit + 1 }), limit, viewOf);
}

async function rotate({ audit, forget }: ApiKeyDeps, request: RouteRequest) {
  const { overlap_seconds = DEFAULT_OVERLAP_SECONDS, expires_at, reason } = request.body as RotateApiKeyBody;
  const oldId = request.params['id'] ?? '';
  const now = new Date();
  const action = { actor: request.actor, action: 'api_key.rotate', target: oldId, reason, details: { overlap_seconds, expires_at } };
  const done = await audit.change(action, async (tx) => {
    const old = await found(lockApiKey(tx, oldId));
    if (statusOf(old, now) !== 'active')
      throw new ProblemError('api_key.ended', `The key is ${statusOf(old, now)} already; make a new one instead.`);
    const { id, key } = newKey(old.livemode ? 'live' : 'test');
    Object.assign(action.details, { new_id: id });
    const { tenant, scopes, livemode } = old;
    const row = await insertApiKey(tx, {
      id,
      tenant,
      scopes,
      livemode,
      hash: hashOf(key),
      expiresAt: expires_at === undefined ? null : new Date(expires_at),
    });
    return { row, key, old: await endAt(tx, oldId, new Date(now.getTime() + overlap_seconds * 1000)) };
  });
  forget(oldId);
  return jsonReply(201, { ...viewOf(done.row), key: done.key, replaces: viewOf(done.old) } satisfies RotatedApiKeyView);
}

async function revokeKey({ audit, forget }: ApiKeyDeps, request: RouteRequest) {
  const { reason } = request.body as ReasonBody;
  const id = request.params['id'] ?? '';
  const action = { actor: request.actor, action: 'api_key.revoke', target: id, reason };
  const { row } = await audit.change(
    action,
    async (tx) => {
      const before = await found(lockApiKey(tx, id));
      return before.revoked_at ? { row: before, changed: false } : { row: await revoke(tx, id, new Date()), changed: true };
    },
    ({ changed }) => changed,
  );
  forget(id);
  return jsonReply(200, viewOf(row));
}

async function found(looked: Promise<ApiKeyRow | null>): Promise<ApiKeyRow> {
  const row = await looked;
  if (!row) throw new ProblemError('not_found', 'There is no such key.');
  return row;
}

function statusOf(row: ApiKeyRow, now: Date): ApiKeyView['status'] {
  if (row.revoked_at) return 'revoked';
  return row.expires_at && row.expires_at.getTime() <= now.getTime() ? 'expired' : 'active';
}

function viewOf(row: ApiKeyRow): ApiKeyView {
  return {
    id: row.id,
    object: 'api_key',
    tenant: row.tenant,
    livemode: row.livemode,
    scopes: row.scopes,
    status: statusOf(row, new Date()),
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}
