import type { CreateTenantBody, TenantView } from '@tidegate/contracts/ops/tenants';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import { byId, pageOf } from '../http/list-reply.js';
import { HERE, type Here } from '../http/here.js';
import type { Audit } from '../ops/audit.js';
import type { GatewayTables } from '../tables.js';
import { ensureTenant, listTenants, type TenantRow } from './tenant.store.js';

/** The handlers of `/v1/ops/tenants`. */
export function tenantHandlers(db: Kysely<GatewayTables>, audit: Audit): Here {
  return {
    [HERE.tenantCreate]: (request) => create(request, audit),
    [HERE.tenantList]: async (request) => {
      const { limit, after } = byId(request);
      return pageOf(await listTenants(db, after, limit + 1), limit, view);
    },
  };
}

async function create(request: RouteRequest, audit: Audit) {
  const { id, name = id, zone = 'UTC', locale = 'en', reason } = request.body as CreateTenantBody;
  const action = { actor: request.actor, action: 'tenant.create', target: id, reason, details: { name, zone, locale } };
  const { tenant, created } = await audit.change(
    action,
    (tx) => ensureTenant(tx, { id, name, zone, locale }),
    ({ created }) => created,
  );
  return jsonReply(created ? 201 : 200, view(tenant));
}

const view = (row: TenantRow): TenantView => ({
  id: row.id,
  object: 'tenant',
  name: row.name,
  zone: row.zone,
  locale: row.locale,
  created_at: row.created_at.toISOString(),
});
