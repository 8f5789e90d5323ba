import { type Changes } from '@tidegate/observability/alerts/quicken';
import { type Runnable } from '@tidegate/observability/runbooks/page';
import { type EnvOverrides } from '@tidegate/local-stack/stack/service-env';
import { type Stage } from './stage.js';

/** How a fault is brought about, and taken away again where no command of ours can do that. What must happen stands in the catalogue. */
export interface Drill {
  /** Settings of the services, beside those of every drill. */
  env?: EnvOverrides;
  /** Thresholds that nobody can wait for. */
  thresholds?: Changes;
  inject(stage: Stage): Promise<void>;
  /** What the shell of the operator has beside what it always has. */
  shell?(stage: Stage): NodeJS.ProcessEnv;
  /** Before a block of the page: what the page says in words, such as starting services. */
  before?(stage: Stage, block: Runnable): Promise<void>;
  /** After the verification of the page: throws an Error for what it does not see. */
  after?(stage: Stage): Promise<void>;
  /** After the diagnosis: Stripe is well again, the release is rolled back, the broker is started. */
  heal?(stage: Stage): Promise<void>;
}
