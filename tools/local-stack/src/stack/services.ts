/** The services, in the order of their default ports. */
export const serviceNames = ['gateway', 'webhooks', 'payments', 'reconciliation', 'receipts'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** How many processes of each; absent is 1. */
export type Replicas = Partial<Record<ServiceName, number>>;

/** One process of a service: `payments` 2 is called `payments-2`. */
export interface Instance {
  name: ServiceName;
  replica: number;
}

export function instanceName({ name, replica }: { name: string; replica: number }): string {
  return `${name}-${replica}`;
}

/** Every process that those replicas mean. */
export function instancesOf(replicas: Replicas): Instance[] {
  return serviceNames.flatMap((name) => Array.from({ length: replicas[name] ?? 1 }, (_, index) => ({ name, replica: index + 1 })));
}
