import { TenantView } from '@tidegate/contracts/ops/tenants';
import { listOf } from '@tidegate/contracts/responses';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';
import { paging } from '../http/list-query.js';

export const listTenants = defineEndpoint({
  id: 'listTenants',
  method: 'GET',
  path: '/v1/ops/tenants',
  tag: 'Operations',
  summary: 'List tenants, by id',
  scope: 'ops',
  rpc: HERE.tenantList,
  params: {},
  query: z.strictObject({ ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of tenants', schema: listOf(TenantView) } },
  problems: [],
});
