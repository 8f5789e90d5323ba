import { NewApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';
import { CreateApiKeyBody } from './api-key.requests.js';

export const createApiKey = defineEndpoint({
  id: 'createApiKey',
  method: 'POST',
  path: '/v1/ops/api-keys',
  tag: 'Operations',
  summary: 'Make an API key',
  description: 'The answer shows the key, and nothing ever does again. An answer that got lost leaves a key that nobody has: revoke it.',
  scope: 'ops',
  rpc: HERE.apiKeyCreate,
  params: {},
  body: CreateApiKeyBody,
  idempotencyKey: 'none',
  answers: { 201: { description: 'The key', schema: NewApiKeyView } },
  problems: ['not_found'],
});
