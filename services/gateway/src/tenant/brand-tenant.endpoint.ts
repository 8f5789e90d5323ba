import { BrandTenantBody, TenantId, TenantView } from '@tidegate/contracts/ops/tenants';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';

/** A logo of 64 KiB in base64, and the rest. */
const BODY_LIMIT = 128 * 1024;

export const brandTenant = defineEndpoint({
  id: 'brandTenant',
  method: 'POST',
  path: '/v1/ops/tenants/{id}/branding',
  tag: 'Operations',
  summary: "Change what a tenant's documents look like",
  description:
    'What is absent stays. Receipts that were issued keep what they had; those issued a minute later have the new. A logo is a PNG of at most 64 KiB and 2000 x 2000 dots; null takes it away.',
  scope: 'ops',
  rpc: HERE.tenantBrand,
  params: { id: TenantId },
  body: BrandTenantBody,
  bodyLimit: BODY_LIMIT,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The tenant', schema: TenantView } },
  problems: [],
});
