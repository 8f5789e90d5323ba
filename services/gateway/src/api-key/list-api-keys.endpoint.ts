import { ApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { TenantId } from '@tidegate/contracts/ops/tenants';
import { listOf } from '@tidegate/contracts/responses';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';
import { paging } from '../http/list-query.js';

export const listApiKeys = defineEndpoint({
  id: 'listApiKeys',
  method: 'GET',
  path: '/v1/ops/api-keys',
  tag: 'Operations',
  summary: 'List API keys, by id, without their secrets',
  scope: 'ops',
  rpc: HERE.apiKeyList,
  params: {},
  query: z.strictObject({
    tenant: TenantId.optional(),
    status: z.enum(['active', 'expired', 'revoked']).optional(),
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of keys', schema: listOf(ApiKeyView) } },
  problems: [],
});
