import { SecretFingerprintsView } from '@tidegate/contracts/ops/secrets';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';

export const getSecretFingerprints = defineEndpoint({
  id: 'getSecretFingerprints',
  method: 'GET',
  path: '/v1/ops/secrets',
  tag: 'Operations',
  summary: 'See which secrets each process is using, as fingerprints',
  description:
    'The first 8 hexadecimal digits of the SHA-256: `printf %s "$SECRET" | sha256sum | cut -c1-8` makes the same of the one in your store.',
  scope: 'ops',
  rpc: HERE.secretFingerprints,
  params: {},
  idempotencyKey: 'none',
  answers: { 200: { description: 'Every process that answered, and the services of which none did', schema: SecretFingerprintsView } },
  problems: [],
});
