import { ApiKeyId, RotatedApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';
import { RotateApiKeyBody } from './api-key.requests.js';

export const rotateApiKey = defineEndpoint({
  id: 'rotateApiKey',
  method: 'POST',
  path: '/v1/ops/api-keys/{id}/rotate',
  tag: 'Operations',
  summary: 'Replace an API key, with an overlap',
  description: 'Makes a key with the same tenant and scopes; the old one ends after `overlap_seconds`, or earlier if it would have anyway.',
  scope: 'ops',
  rpc: HERE.apiKeyRotate,
  params: { id: ApiKeyId },
  body: RotateApiKeyBody,
  idempotencyKey: 'none',
  answers: { 201: { description: 'The new key, and the old one', schema: RotatedApiKeyView } },
  problems: ['api_key.ended'],
});
