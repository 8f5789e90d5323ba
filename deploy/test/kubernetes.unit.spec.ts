import { describe, expect, it } from '@jest/globals';
import { chartHash, RENDERED } from '@tidegate/local-stack/deploy/render-chart';
import { SERVICES } from '@tidegate/messaging/topology';
import { STOP_LIMITS_MS } from '@tidegate/service-host/shutdown';
import { type Manifest, manifests, reads, textOf } from './read-deploy.js';

const text = textOf(RENDERED);
const all = manifests(text);
const one = (kind: string, name: string): Manifest => {
  const found = all.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!found) throw new Error(`There is no ${kind} ${name}`);
  return found;
};
const podOf = (manifest: Manifest) => (manifest.kind === 'CronJob' ? manifest.spec.jobTemplate.spec.template : manifest.spec.template);
const workloads = all.filter(({ kind }) => ['Deployment', 'Job', 'CronJob'].includes(kind));

describe('The plain form of the chart', () => {
  it('is rendered from the chart as it is now', () => {
    expect(text.split('\n', 1)[0]).toContain(`of chart ${chartHash()}.`);
  });

  it('has everything for each service', () => {
    const kinds = ['Deployment', 'Service', 'ServiceAccount', 'PodDisruptionBudget', 'NetworkPolicy'];
    const names = (kind: string) => all.filter((manifest) => manifest.kind === kind).map(({ metadata }) => metadata.name);
    for (const kind of kinds) expect(names(kind)).toEqual(expect.arrayContaining([...SERVICES]));
    expect(names('HorizontalPodAutoscaler').sort()).toEqual(['gateway', 'payments', 'receipts', 'webhooks']);
    expect(names('ServiceMonitor')).toEqual(['tidegate']);
    expect(all.some(({ kind }) => kind === 'Secret')).toBe(false);
  });
});

describe('Every pod', () => {
  it('runs without rights, cannot write, and cannot ask Kubernetes', () => {
    for (const workload of workloads) {
      const { spec } = podOf(workload);
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      for (const container of spec.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.limits.memory).toBeDefined();
        expect(container.image).not.toMatch(/:latest$|:$/);
      }
    }
  });

  it('has secrets by reference only, and as files, which may change while it runs', () => {
    for (const workload of workloads)
      for (const { env = [] } of podOf(workload).spec.containers as { env?: { name: string; value?: string }[] }[])
        for (const { name, value } of env) {
          if (/(_URL|_KEY|_SECRET)$/.test(name) && name !== 'TIDEGATE_URL')
            throw new Error(`${workload.metadata.name} has ${name} in its environment`);
          if (name.endsWith('_FILE')) expect(value).toMatch(/^\/run\/secrets\//);
        }
  });
});

describe('The pods of a service', () => {
  it.each(SERVICES)('of %s have settings that it reads', (service) => {
    const { env } = podOf(one('Deployment', service)).spec.containers[0] as { env: { name: string }[] };
    expect(env.map(({ name }) => name).filter((name) => !reads(service, name))).toEqual([]);
    expect(new Set(env.map(({ name }) => name)).size).toBe(env.length);
  });

  it.each(SERVICES)('of %s have the time that an orderly stop takes', (service) => {
    const { spec } = podOf(one('Deployment', service));
    const [container] = spec.containers as {
      lifecycle: { preStop: { sleep: { seconds: number } } };
      env: { name: string; value: string }[];
    }[];
    const grace = Number(container?.env.find(({ name }) => name === 'SHUTDOWN_GRACE_SECONDS')?.value);
    const steps = Object.values(STOP_LIMITS_MS).reduce((sum, ms) => sum + ms, 0) / 1000;
    expect(grace).toBeLessThan(STOP_LIMITS_MS.workInHand / 1000);
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan((container?.lifecycle.preStop.sleep.seconds ?? 0) + grace + steps);
  });

  it('are refused by the chart where that time is shorter, by what the steps take', () => {
    const refusedBelow = Number(/"tidegate\.stopSeconds" -}}(\d+)/.exec(textOf('deploy/kubernetes/tidegate/templates/_helpers.tpl'))?.[1]);
    expect(refusedBelow).toBe(Math.ceil(Object.values(STOP_LIMITS_MS).reduce((sum, ms) => sum + ms, 0) / 1000));
  });

  it.each(SERVICES)('of %s are spread, replaced one by one, probed, and never all taken away', (service) => {
    const { spec } = one('Deployment', service);
    expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    const pod = podOf(one('Deployment', service)).spec;
    expect(pod.topologySpreadConstraints.map(({ topologyKey }: { topologyKey: string }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    const { startupProbe, livenessProbe, readinessProbe } = pod.containers[0];
    expect([startupProbe, livenessProbe, readinessProbe].map((probe) => probe.httpGet.path)).toEqual(['/healthz', '/healthz', '/readyz']);
    expect(one('PodDisruptionBudget', service).spec.selector).toEqual(spec.selector);
    expect(spec.replicas ?? one('HorizontalPodAutoscaler', service).spec.minReplicas).toBeGreaterThanOrEqual(2);
  });

  it('reach Stripe only where the service calls it', () => {
    const reaching = SERVICES.filter((service) => JSON.stringify(one('NetworkPolicy', service).spec.egress).includes('0.0.0.0/0'));
    expect(reaching).toEqual(SERVICES.filter((service) => reads(service, 'STRIPE_SECRET_KEY')));
    for (const { spec } of all.filter(({ kind }) => kind === 'NetworkPolicy')) expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
  });
});

describe('What the Prometheus operator makes of the services', () => {
  /** The operator calls a job like the label `jobLabel` of its Service, and like the Service itself where there is none. */
  const { jobLabel, selector, endpoints } = one('ServiceMonitor', 'tidegate').spec as {
    jobLabel?: string;
    selector: { matchLabels: Record<string, string> };
    endpoints: { port: string; honorLabels?: boolean }[];
  };
  const scraped = all.filter(
    ({ kind, metadata: { labels = {} } }) =>
      kind === 'Service' && Object.entries(selector.matchLabels).every(([label, value]) => labels[label] === value),
  );

  it('has the labels by which the rules and pages know them', () => {
    const asked = [...textOf('deploy/kubernetes/generated/prometheus-rules.yaml').matchAll(/up\{job="([^"]+)"(?:,service="([^"]+)")?\}/g)];
    expect([...new Set(asked.map(([, job]) => job))]).toEqual(['tidegate']);
    expect(scraped.map(({ metadata }) => [metadata.labels?.[jobLabel ?? ''] ?? metadata.name, metadata.name])).toEqual(
      [...SERVICES].sort().map((name) => ['tidegate', name]),
    );
    expect([...new Set(asked.flatMap(([, , service]) => service ?? []))].sort()).toEqual([...SERVICES].sort());
  });

  it('is each pod behind a port that its Service has, and leaves the labels of the target alone', () => {
    for (const { spec } of scraped) expect(spec.ports.map(({ name }: { name: string }) => name)).toContain(endpoints[0]?.port);
    expect(endpoints.map(({ honorLabels = false }) => honorLabels)).toEqual([false]);
  });
});

describe('The migration job', () => {
  const hook = ({ metadata: { annotations = {} } }: Manifest) => ({
    when: annotations['helm.sh/hook'],
    weight: Number(annotations['helm.sh/hook-weight'] ?? 0),
  });
  const jobs = all.filter((manifest) => manifest.kind === 'Job' && hook(manifest).when !== undefined);

  it('runs under policies of its own release: they are made before it', () => {
    expect(jobs).toHaveLength(1);
    for (const job of jobs) {
      const labels = podOf(job).metadata.labels as Record<string, string>;
      const policies = all.filter(
        ({ kind, spec }) =>
          kind === 'NetworkPolicy' &&
          Object.entries(spec.podSelector.matchLabels as Record<string, string>).every(([label, value]) => labels[label] === value),
      );
      expect(policies.map(hook)).toEqual([{ when: hook(job).when, weight: expect.any(Number) }]);
      for (const policy of policies) expect(hook(policy).weight).toBeLessThan(hook(job).weight);
    }
  });
});

describe('The reconciliation job', () => {
  const { spec } = one('CronJob', 'billing-reconciliation');

  it('runs once at a time, for an hour at most, is tried again, and is remembered', () => {
    expect(spec).toMatchObject({
      schedule: '0 2 * * *',
      concurrencyPolicy: 'Forbid',
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 5,
      jobTemplate: { spec: { backoffLimit: 3, activeDeadlineSeconds: 3600 } },
    });
  });

  it('is not tried again for discrepancies, and replaces the schedule of the service', () => {
    expect(spec.jobTemplate.spec.podFailurePolicy.rules[0]).toMatchObject({ action: 'FailJob', onExitCodes: { values: [2] } });
    const { env } = podOf(one('Deployment', 'reconciliation')).spec.containers[0] as { env: { name: string; value: string }[] };
    expect(env).toContainEqual({ name: 'RECONCILIATION_CRON', value: 'off' });
  });
});
