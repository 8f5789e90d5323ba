import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';

const TenantRequest = z.object({ tenant: z.string() });

/** Handler of `gateway.rpc.tenant.get.v1`: `{ tenant }` -> the tenant, or null when there is none. */
export function tenantGet(find: (id: string) => Promise<Tenant | null>): (request: unknown) => Promise<Tenant | null> {
  return async (request) => {
    const { tenant } = TenantRequest.parse(request);
    return find(tenant);
  };
}
