import { CreateTenantBody, TenantView } from '@tidegate/contracts/ops/tenants';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';

export const createTenant = defineEndpoint({
  id: 'createTenant',
  method: 'POST',
  path: '/v1/ops/tenants',
  tag: 'Operations',
  summary: 'Make a tenant',
  description: 'One that exists already stays as it is and is answered with 200.',
  scope: 'ops',
  rpc: HERE.tenantCreate,
  params: {},
  body: CreateTenantBody,
  idempotencyKey: 'none',
  answers: {
    200: { description: 'The tenant was there already', schema: TenantView },
    201: { description: 'The tenant', schema: TenantView },
  },
  problems: [],
});
