import { join } from 'node:path';
import { productOf } from '@tidegate/local-stack/stack/real-product';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { secretsIn } from '@tidegate/local-stack/stack/secrets';
import { openArena } from './arena.js';
import { deployOver, type DeployReport, REPLICAS } from './rolling-deploy.js';
import { builtVersion } from './version-before.js';

export interface Deployed {
  /** The version before. */
  commit: string;
  report: DeployReport;
  /** As many are known, and as Stripe has them. */
  payments: number;
}

/** The defaults: nothing is to fail here, so that nothing is hurried by shorter limits. */
const AS_IN_PRODUCTION = { GATEWAY_ANSWER_MS: '25000', PAYMENT_ANSWER_MS: '22000', PAYMENT_RUN_MS: '20000' };

/** Builds the version before, runs it, and deploys this one over it. Throws when a request failed or our record is not Stripe's. */
export async function deployed(options: { seed: number; perSecond: number; ref?: string | undefined }): Promise<Deployed> {
  const version = builtVersion(repositoryRoot(), options.ref);
  try {
    const product = productOf(version.root);
    const arena = await openArena({ product, replicas: REPLICAS, env: { '*': AS_IN_PRODUCTION } });
    try {
      const { roles } = secretsIn(arena.stack.dir);
      const before = (name: string) => join(version.root, 'services', name, 'bundle', 'main.js');
      const report = await deployOver(arena, { ...options, before, passwordOf: (role) => roles[role] ?? role });
      const failed = grouped(report.failed);
      if (failed.length > 0 || report.surprises.length > 0)
        throw new Error(
          `Over ${version.commit}, of ${report.requests} requests: ${JSON.stringify({ failed, surprises: report.surprises }, null, 2)}`,
        );
      const { payments } = await arena.settled(180_000);
      await arena.inboxesEven(180_000);
      return { commit: version.commit, report, payments: payments.length };
    } finally {
      await arena.close();
    }
  } finally {
    version.remove();
  }
}

/** Each kind of failure with how often it came; ids in paths are left out. */
function grouped(failures: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const failure of failures) {
    const kind = failure.replace(/[a-z]+_[0-9a-f]{16,}/g, '{id}');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} x ${kind}`);
}
