import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { composeSpec, helm, kubeconform } from '@tidegate/local-stack/deploy/deploy-tools';
import { kubernetesSchemas } from '@tidegate/local-stack/deploy/kubernetes-schemas';
import { render, RENDERED, renderedChart } from '@tidegate/local-stack/deploy/render-chart';
import { findNatsServer } from '@tidegate/local-stack/nats-server/find-nats-server';
import { type Manifest, manifests, ROOT, textOf } from './read-deploy.js';

const runs = promisify(execFile);
const quiet = () => undefined;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-deploy-'));
  await Promise.all([helm(quiet), kubeconform(quiet), composeSpec(quiet), kubernetesSchemas()]);
}, 1_800_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Verdict {
  resources?: { kind: string; name: string; msg: string }[];
  summary: { valid: number; invalid: number; errors: number; skipped: number };
}

/** What kubeconform says of manifests, against Kubernetes' own schemas and those of the Prometheus operator; fields that they do not know are faults. */
async function checked(text: string): Promise<Verdict> {
  const file = join(folder, 'manifests.yaml');
  writeFileSync(file, text);
  const location = join(await kubernetesSchemas(), '{{.ResourceKind}}{{.KindSuffix}}.json');
  const args = ['-output', 'json', '-summary', '-strict', '-schema-location', location, file];
  const { stdout } = await runs(await kubeconform(quiet), args).catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as Verdict;
}

const faults = ({ resources = [], summary }: Verdict) => ({
  said: resources.map(({ kind, name, msg }) => `${kind} ${name}: ${msg}`),
  ...summary,
  valid: 0,
});
/** Receipts in a bucket, mailed, and with links that begin with the ingress' name. */
const OUTSIDE = [
  'services.receipts.env.RECEIPT_STORE=s3://receipts/live',
  'services.receipts.env.RECEIPT_MAIL_FROM=receipts@example.com',
  'services.receipts.serviceAccount.annotations.role=receipts',
  'secrets.smtp=tidegate-smtp',
  'secrets.s3=tidegate-s3',
  'networkPolicy.smtp.port=2525',
  'ingress.enabled=true',
  'ingress.tlsSecret=tls',
];
const NONE = { said: [], valid: 0, invalid: 0, errors: 0, skipped: 0 };

describe('The chart', () => {
  it('is one that helm has nothing to say against', async () => {
    const { stdout } = await runs(await helm(quiet), ['lint', '--strict', join(ROOT, 'deploy', 'kubernetes', 'tidegate')]);
    expect(stdout).toContain('0 chart(s) failed');
  });

  it('is committed as it renders', async () => {
    expect(textOf(RENDERED)).toBe(await renderedChart(quiet));
  });

  it.each([
    ['as it is', []],
    ['with an ingress', ['ingress.enabled=true', 'ingress.className=nginx', 'ingress.tlsSecret=tls', 'ingress.annotations.a=b']],
    [
      'without what is optional',
      [
        'networkPolicy.enabled=false',
        'monitoring.serviceMonitor.enabled=false',
        'reconciliation.cronJob.enabled=false',
        'migrations.enabled=false',
        'nats.accountsConfigMap=false',
      ],
    ],
    ['with receipts in S3 and by mail', OUTSIDE],
    [
      'with fixed replicas and a digest',
      ['services.payments.autoscaling.enabled=false', `image.digest=sha256:${'a'.repeat(64)}`, 'image.pullSecrets[0].name=registry'],
    ],
  ])('renders to manifests that Kubernetes knows, %s', async (_, set) => {
    const verdict = await checked(await render(set, quiet));
    expect(faults(verdict)).toEqual(NONE);
    expect(verdict.summary.valid).toBeGreaterThan(10);
  });

  it('opens the way to S3 and to a mail server for receipts alone, and only with their settings; secrets go there as files', async () => {
    const ports = (all: Manifest[], name: string) =>
      (all.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name)?.spec.egress as { ports: { port: number }[] }[])
        .flatMap((rule) => rule.ports.map(({ port }) => port))
        .filter((port) => [443, 2525, 587].includes(port));
    const [plain, outside] = [manifests(await render([], quiet)), manifests(await render(OUTSIDE, quiet))];
    expect([ports(plain, 'receipts'), ports(outside, 'receipts')]).toEqual([[], [443, 2525]]);
    for (const name of ['gateway', 'webhooks', 'payments', 'reconciliation']) expect(ports(outside, name)).toEqual(ports(plain, name));
    const { spec } = outside.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'receipts')!.spec.template;
    const env = Object.fromEntries((spec.containers[0].env as { name: string; value: string }[]).map(({ name, value }) => [name, value]));
    expect(env).toMatchObject({
      PUBLIC_URL: 'https://tidegate.example.com',
      RECEIPT_STORE: 's3://receipts/live',
      RECEIPT_MAIL_FROM: 'receipts@example.com',
      SMTP_URL_FILE: '/run/secrets/smtp/SMTP_URL',
      AWS_SHARED_CREDENTIALS_FILE: '/run/secrets/s3/credentials',
    });
    const mounted = (spec.containers[0].volumeMounts as { name: string; mountPath: string }[]).map(({ mountPath }) => mountPath);
    expect(mounted).toEqual(expect.arrayContaining(['/run/secrets/smtp', '/run/secrets/s3']));
    const secrets = (spec.volumes as { secret?: { secretName: string } }[]).flatMap(({ secret }) => secret?.secretName ?? []);
    expect(secrets).toEqual(['tidegate-receipts', 'tidegate-smtp', 'tidegate-s3']);
  });

  it('asks for names where the values say, from every pod', async () => {
    const policies = manifests(
      await render(['networkPolicy.dns.ports[0]=5353', 'networkPolicy.dns.to[0].ipBlock.cidr=169.254.20.10/32'], quiet),
    ).filter(({ kind }) => kind === 'NetworkPolicy');
    const asked = policies.map(({ spec }) =>
      (spec.egress as { ports: { port: number }[] }[]).filter(({ ports }) => ports[0]?.port === 5353),
    );
    expect(asked).toHaveLength(7);
    const ports = ['UDP', 'TCP'].map((protocol) => ({ port: 5353, protocol }));
    for (const rules of asked) expect(rules).toEqual([{ to: [{ ipBlock: { cidr: '169.254.20.10/32' } }], ports }]);
    expect(JSON.stringify(policies)).not.toContain('kube-system');
  });

  it.each([
    ['of its own, also an empty one, before that of all', ['services.gateway.env.AWS_REGION='], undefined],
    ['of all where it has none of its own', [], 'eu-west-1'],
  ])('gives a service the setting %s', async (_, own, expected) => {
    const all = manifests(await render(['env.AWS_REGION=eu-west-1', ...own], quiet)).filter(({ kind }) => kind === 'Deployment');
    const given = all.map(({ metadata, spec }) => [
      metadata.name,
      (spec.template.spec.containers[0].env as { name: string; value: string }[]).find(({ name }) => name === 'AWS_REGION')?.value,
    ]);
    expect(Object.fromEntries(given)).toEqual({
      gateway: expected,
      ...Object.fromEntries(['payments', 'webhooks', 'reconciliation', 'receipts'].map((name) => [name, 'eu-west-1'])),
    });
  });

  it('has an ingress for each name, with the class and annotations of all and its own', async () => {
    const set = [
      ...['enabled=true', 'tlsSecret=tls', 'className=outside', 'annotations.common=c', 'api.className=inside', 'api.annotations.a=b'],
      ...['webhooks.annotations.common=w', 'webhooks.annotations.d=e'],
    ];
    const all = manifests(
      await render(
        set.map((one) => `ingress.${one}`),
        quiet,
      ),
    );
    expect(
      all
        .filter(({ kind }) => kind === 'Ingress')
        .map(({ metadata, spec }) => ({
          hosts: (spec.rules as { host: string }[]).map(({ host }) => host),
          class: spec.ingressClassName,
          annotations: metadata.annotations,
        })),
    ).toEqual([
      { hosts: ['tidegate.example.com'], class: 'inside', annotations: { common: 'c', a: 'b' } },
      { hosts: ['tidegate-webhooks.example.com'], class: 'outside', annotations: { common: 'w', d: 'e' } },
    ]);
  });

  it('links each alert to its page and its dashboard where the values say', async () => {
    const [pages, boards] = ['https://wiki.example.org/tidegate', 'https://grafana.example.org/d'];
    const set = [`runbooks=${pages}/`, `dashboards=${boards}`].map((one) => `monitoring.prometheusRule.${one}`);
    const rules = manifests(await render(set, quiet)).filter(({ kind }) => kind === 'PrometheusRule');
    const groups = rules.flatMap(({ spec }) => spec.groups as { rules: { alert?: string; annotations: Record<string, string> }[] }[]);
    const alerts = groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
    expect(alerts.length).toBeGreaterThan(50);
    const elsewhere = alerts.filter(
      ({ annotations }) =>
        !/^[a-z0-9-]+$/.test(annotations['runbook_url']!.replace(`${pages}/`, '')) ||
        !annotations['dashboard_url']!.startsWith(`${boards}/tidegate`),
    );
    expect(elsewhere).toEqual([]);
  });

  it('would be told of a field that Kubernetes does not know', async () => {
    const wrong = (await render([], quiet)).replace('terminationGracePeriodSeconds:', 'terminationGraceSeconds:');
    expect(faults(await checked(wrong)).invalid).toBeGreaterThan(0);
  });

  it.each([
    'services.payments.replicas=0',
    'services.paiments.replicas=1',
    'env.STRIPE_SECRET_KEY=sk',
    'services.receipts.env.SMTP_URL=smtp://mail.example.com',
    'services.receipts.env.AWS_SECRET_ACCESS_KEY=s3',
    'env.SHUTDOWN_GRACE_SECONDS=nine',
    'shutdown.terminationGracePeriodSeconds=10',
    'networkPolicy.dns.ports={}',
    'reconciliation.cronJob.days=0',
    'monitoring.prometheusRule.runbooks=runbooks',
  ])('refuses the value %s', async (set) => {
    await expect(render([set], quiet)).rejects.toThrow(/schema/);
  });

  it.each([
    ['shutdown.preStopSeconds=16', 'shutdown.terminationGracePeriodSeconds (40) must be more than preStopSeconds + graceSeconds + 22 (40)'],
    ['services.reconciliation.env.RECONCILIATION_CRON=0 3 * * *', 'set RECONCILIATION_CRON or reconciliation.cronJob.enabled, not both'],
    ['env.RECONCILIATION_CRON=0 3 * * *', 'set RECONCILIATION_CRON or reconciliation.cronJob.enabled, not both'],
  ])('refuses %s, and says why', async (set, why) => {
    await expect(render([set], quiet)).rejects.toThrow(why);
  });

  it.each([
    ['shutdown.preStopSeconds=15'],
    ['services.reconciliation.env.RECONCILIATION_CRON=0 3 * * *', 'reconciliation.cronJob.enabled=false'],
    ['services.reconciliation.env.RECONCILIATION_CRON=off'],
  ])('takes %s', async (...set) => {
    const deployments = manifests(await render(set, quiet)).filter(({ kind }) => kind === 'Deployment');
    expect(deployments.length).toBe(5);
    for (const { spec } of deployments) {
      const names = (spec.template.spec.containers[0].env as { name: string }[]).map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
    }
  });

  it('opens the way to S3 for receipts also when the store is a setting of all services', async () => {
    const egress = (all: Manifest[]) =>
      all.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'receipts')?.spec.egress;
    const [own, all] = await Promise.all(
      [
        ['services.receipts.env.RECEIPT_STORE=s3://receipts/live'],
        ['services.receipts.env.RECEIPT_STORE=null', 'env.RECEIPT_STORE=s3://receipts/live'],
      ].map(async (set) => egress(manifests(await render(set, quiet)))),
    );
    expect(all).toEqual(own);
    expect(all).not.toEqual(egress(manifests(await render([], quiet))));
  });
});

describe('The alerts as the Prometheus operator takes them', () => {
  it('are rules that it knows', async () => {
    expect(faults(await checked(textOf('deploy/kubernetes/generated/prometheus-rules.yaml')))).toEqual(NONE);
  });
});

describe('The compose file', () => {
  it.each(['simulator', 'stripe'])('is read by the library of Docker Compose, with the settings of the profile %s', async (profile) => {
    const place = await withSecrets(profile);
    const { stdout } = await runs(await composeSpec(quiet), ['-format', 'json', join(place, 'compose.yaml')], {
      cwd: place,
      maxBuffer: 2 ** 24,
    });
    const { services } = JSON.parse(stdout) as { services: Record<string, { environment?: Record<string, string>; profiles?: string[] }> };
    expect(services['payments']?.environment?.['STRIPE_API_BASE']).toBe(profile === 'simulator' ? 'http://simulator:12111' : '');
    expect(Object.values(services).some(({ profiles }) => profiles?.includes(profile))).toBe(true);
    expect(Object.keys(services)).toContain('nats-3');
  });
});

describe('The configuration of the NATS servers', () => {
  it('is one that nats-server takes', async () => {
    const passwords = ['gateway', 'payments', 'webhooks', 'reconciliation', 'receipts', 'admin', 'sys', 'route'];
    const env = {
      ...Object.fromEntries(passwords.map((user) => [`NATS_${user.toUpperCase()}_PASSWORD`, 'p1'])),
      ...{ NATS_SERVER_NAME: 'n', NATS_LISTEN: '127.0.0.1:4222', NATS_MONITOR: '127.0.0.1:8222', NATS_CLUSTER_LISTEN: '127.0.0.1:6222' },
      ...{ NATS_ROUTES: '["nats://route:p1@127.0.0.1:6223"]', NATS_STORE: JSON.stringify(folder) },
    };
    const { stderr } = await runs(await findNatsServer(), ['-t', '-c', join(ROOT, 'deploy/nats/nats-server.conf')], { env });
    expect(stderr).toContain('is valid');
  });
});

/** A copy with secrets made, because compose wants their files to be there, and the variables of a profile put in, because the library's program reads none. */
async function withSecrets(profile: string): Promise<string> {
  const place = mkdtempSync(join(folder, 'compose-'));
  cpSync(join(ROOT, 'deploy', 'compose'), place, { recursive: true, filter: (path) => !path.endsWith('/secrets') });
  await runs(process.execPath, [join(place, 'make-secrets.mjs')]);
  const { STRIPE_API_BASE = '' } = parseEnv(textOf(`deploy/compose/${profile}.env`));
  writeFileSync(
    join(place, 'compose.yaml'),
    textOf('deploy/compose/compose.yaml').replaceAll('${STRIPE_API_BASE:-}', JSON.stringify(STRIPE_API_BASE)),
  );
  return place;
}
