import { type NatsPermissions } from '../nats-server/config-file.js';
import { type ApiKeys } from './secrets.js';
import { type ServiceName } from './services.js';

/** What a stack runs. The real one is `realProduct`; the stack's own tests run a toy. */
export interface Product {
  /** Path of the program of a service or of the simulator, for Node. */
  program(name: ServiceName | 'simulator'): string;
  /** Brings the database up to date; `password` names the password that each login role gets. */
  migrate(adminUrl: string, password: (role: string) => string): Promise<void>;
  /** What the broker lets a service do; undefined is everything. */
  natsPermissions(service: ServiceName): Promise<NatsPermissions | undefined>;
  /** Every failpoint that TIDEGATE_FAILPOINT can name. */
  failpoints(): Promise<readonly string[]>;
  /** Types of events that Stripe's webhook endpoint delivers. */
  webhookEvents(): Promise<readonly string[]>;
  /** Creates the tenants `default` and `other`, where they do not exist, and a new key for each. */
  createTenantsAndKeys(databaseUrl: string): Promise<ApiKeys>;
}
