import type { BrandTenantBody, CreateTenantBody, TenantView } from '@tidegate/contracts/ops/tenants';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import { byId, pageOf } from '../http/list-reply.js';
import { HERE, type Here } from '../http/here.js';
import type { Audit } from '../ops/audit.js';
import type { GatewayTables } from '../tables.js';
import { ProblemError } from '../http/problem-error.js';
import { faultOfPng } from './png.js';
import { type Branding, brandTenant, ensureTenant, hashOfLogo, listTenants, type TenantRow } from './tenant.store.js';

/** The handlers of `/v1/ops/tenants`. */
export function tenantHandlers(db: Kysely<GatewayTables>, audit: Audit): Here {
  return {
    [HERE.tenantCreate]: (request) => create(request, audit),
    [HERE.tenantBrand]: (request) => brand(request, audit),
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

async function brand(request: RouteRequest, audit: Audit) {
  const { reason, ...wanted } = request.body as BrandTenantBody;
  const changes = changesOf(wanted);
  const id = request.params['id'] ?? '';
  const details = { ...wanted, ...(changes.logo ? { logo: hashOfLogo(changes.logo) } : {}) };
  const action = { actor: request.actor, action: 'tenant.brand', target: id, reason, details };
  const tenant = await audit.change(
    action,
    (tx) => brandTenant(tx, id, changes),
    (row) => row !== undefined,
  );
  if (!tenant) throw new ProblemError('not_found', 'There is no such tenant.');
  return jsonReply(200, view(tenant));
}

/** Without what was not given. Throws a ProblemError for what is no logo. */
function changesOf({ name, legal_lines, tax_ids, accent, logo }: Omit<BrandTenantBody, 'reason'>): Branding {
  const png = logo == null ? logo : Buffer.from(logo, 'base64');
  const fault = png ? faultOfPng(png) : null;
  if (fault !== null)
    throw new ProblemError('validation.failed', `The body is not valid: logo: ${fault}.`, { errors: [{ path: 'logo', message: fault }] });
  return {
    ...(name === undefined ? {} : { name }),
    ...(legal_lines === undefined ? {} : { legal_lines }),
    ...(tax_ids === undefined ? {} : { tax_ids }),
    ...(accent === undefined ? {} : { accent }),
    ...(png === undefined ? {} : { logo: png }),
  };
}

const view = (row: TenantRow): TenantView => ({
  id: row.id,
  object: 'tenant',
  name: row.name,
  zone: row.zone,
  locale: row.locale,
  legal_lines: row.legal_lines,
  tax_ids: row.tax_ids,
  accent: row.accent,
  logo: row.logo && hashOfLogo(row.logo),
  created_at: row.created_at.toISOString(),
});
