import { ApiKeyId, ApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';

export const revokeApiKey = defineEndpoint({
  id: 'revokeApiKey',
  method: 'POST',
  path: '/v1/ops/api-keys/{id}/revoke',
  tag: 'Operations',
  summary: 'Revoke an API key',
  description: 'Every gateway refuses it within 5 seconds. A key that is revoked already stays as it is.',
  scope: 'ops',
  rpc: HERE.apiKeyRevoke,
  params: { id: ApiKeyId },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The key', schema: ApiKeyView } },
  problems: [],
});
