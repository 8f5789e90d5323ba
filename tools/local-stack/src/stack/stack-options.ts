import { type Product } from './product.js';
import { type Progress } from './progress.js';
import { type EnvOverrides, type StripeSettings } from './service-env.js';
import { type ServiceName, type Replicas } from './services.js';

export interface StackOptions {
  /** Where everything of the stack is kept: data, logs, secrets, `stack.json`. Made when it is not there. */
  dir: string;
  /** Documented ports from this base (3000); absent: free ports, so that stacks run side by side. */
  portBase?: number;
  replicas?: Replicas;
  /** Which services to run; default all. */
  services?: readonly ServiceName[];
  /** Variables for the services, and under `simulator` for the simulator. TIDEGATE_FAILPOINT may be among them. */
  env?: EnvOverrides;
  /** TIDEGATE_FAILPOINT by service or process: `{ 'payments-2': 'payments.confirm.…:kill' }`. */
  failpoints?: Readonly<Record<string, string>>;
  /** Whether PostgreSQL and NATS write through to the disk. false is for tests and makes a stack start faster. */
  fsync: boolean;
  /** `name=value`, for PostgreSQL, which has 128 MiB of shared buffers otherwise; for measuring what is done on a larger server. */
  postgresSettings?: readonly string[];
  /** Three servers of a NATS cluster instead of one, and each stream on all of them. */
  natsCluster?: boolean;
  /** Real Stripe instead of the simulator. */
  stripe?: StripeSettings;
  /** Do not create the tenants' API keys. */
  withoutApiKeys?: boolean;
  /** Start again whatever ends on its own; default no, because tests want to see what they killed stay dead. */
  restartCrashed?: boolean;
  /** Hears about the steps of the start, and of crashes. */
  progress?: Progress;
  /** The environment whose settings reach the services; default that of this process. */
  caller?: NodeJS.ProcessEnv;
  /** Aborting it ends a start that is under way, and everything started so far. */
  signal?: AbortSignal;
  /** What to run; default Tidegate. */
  product?: Product;
}
