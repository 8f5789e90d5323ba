import { delimiter, join } from 'node:path';
import { repositoryRoot } from '../repository.js';

/** The caller's environment without what would lead a test to somebody's real account, database or broker, and with the pinned Node first. */
export function testEnvironment(caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(caller).filter(
    ([name]) => !/^(STRIPE_|DATABASE_URL|NATS_URL|TIDEGATE_FAILPOINT|TIDEGATE_CLOCK_URL|NODE_OPTIONS$|NODE_ENV$)/.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: [join(repositoryRoot(), 'node_modules', '.bin'), caller['PATH'] ?? ''].join(delimiter) };
}
