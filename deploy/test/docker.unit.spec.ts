import { describe, expect, it } from '@jest/globals';
import { HANDLED_EVENT_TYPES } from '@tidegate/contracts/handled-event-types';
import { schemasOf } from '@tidegate/database/schema-file';
import { accountsFile } from '@tidegate/messaging/nats-accounts';
import { SERVICES } from '@tidegate/messaging/topology';
import { STOP_LIMITS_MS } from '@tidegate/service-host/shutdown';
import { validate } from 'dockerfile-utils';
import { compose, reads, textOf } from './read-deploy.js';

const DOCKERFILE = textOf('deploy/docker/Dockerfile');
const lines = DOCKERFILE.split('\n').filter((line) => !line.startsWith('#'));
const stages = DOCKERFILE.split(/^FROM /m).slice(1);

describe('The Dockerfile', () => {
  it('has nothing that a checker of Dockerfiles objects to', () => {
    expect(validate(DOCKERFILE).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  it('pins its base to a whole version, and every stage stands on it or is copied from', () => {
    expect(DOCKERFILE).toMatch(/^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-[a-z]+-slim$/m);
    expect(stages.map((stage) => stage.split(/\s/)[0])).toEqual(stages.map(() => '${NODE_IMAGE}'));
  });

  it('installs from the lockfile, runs nothing that packages bring, and fetches nothing else', () => {
    expect(DOCKERFILE).toContain('npm ci --ignore-scripts');
    expect(lines.filter((line) => /\b(ADD|curl|wget|apt-get|npm install|npx)\b/.test(line))).toEqual([]);
  });

  it('runs as nobody in particular, who owns none of the files, and can be asked how it is', () => {
    for (const stage of stages.slice(1)) {
      expect(stage).toMatch(/^USER 10001:10001$/m);
      expect(stage).toMatch(/^COPY --from=build --chown=root:root /m);
      expect(stage).toMatch(/^HEALTHCHECK .*CMD \["node"/m);
      expect(stage).toMatch(/^ENTRYPOINT \["node"/m);
    }
  });

  it('says what is in the image, and starts services with the threads of V8 that they are measured with', () => {
    expect(DOCKERFILE).toContain('npm sbom --omit=dev');
    expect(DOCKERFILE).toContain('"--v8-pool-size=0"');
  });
});

describe('The compose file', () => {
  const { services, secrets } = compose();
  /** What the AWS SDK reads by itself where documents may lie in S3. */
  const readByAws = (name: string, setting: string) => setting.startsWith('AWS_') && reads(name, 'RECEIPT_STORE');
  const ours = SERVICES.map((name) => ({ name, service: services[name]! }));

  it('runs each service with settings that it reads', () => {
    const unknown = ours.flatMap(({ name, service }) =>
      Object.keys(service.environment ?? {})
        .filter((setting) => !reads(name, setting) && !readByAws(name, setting))
        .map((setting) => `${name}: ${setting}`),
    );
    expect(unknown).toEqual([]);
  });

  it('lets none of them write but to /tmp or gain rights, and waits for an orderly stop', () => {
    const longest = Object.values(STOP_LIMITS_MS).reduce((sum, ms) => sum + ms, 0) / 1000;
    for (const { service } of ours) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect(Number.parseInt(service.stop_grace_period ?? '', 10)).toBeGreaterThan(
        longest + Number(service.environment?.['SHUTDOWN_GRACE_SECONDS']),
      );
    }
  });

  it('names a whole version of every image', () => {
    const loose = Object.entries(services).filter(([, { image = '' }]) => !/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?\}?$/.test(image));
    expect(loose.map(([name]) => name)).toEqual([]);
  });

  it('has secrets only as files, each of which make-secrets.mjs writes', () => {
    const maker = textOf('deploy/compose/make-secrets.mjs');
    for (const [name, { file }] of Object.entries(secrets)) {
      expect(file).toBe(`secrets/${name}`);
      expect(maker).toContain(name.replace(/^(gateway|webhooks|payments|reconciliation|receipts)_/, '${service}_'));
    }
    for (const { name, service } of ours)
      expect(service.secrets).toEqual(expect.arrayContaining([`${name}_database_url`, `${name}_nats_url`]));
  });

  it('has receipts mailed to Mailpit, with links that lead to the gateway on this machine, and in a bucket where one is named', () => {
    const { environment } = services['receipts']!;
    const [gateway = ''] = (services['gateway'] as { ports?: string[] }).ports ?? [];
    expect(environment).toMatchObject({
      SMTP_URL: 'smtp://mailpit:1025',
      RECEIPT_MAIL_FROM: expect.stringContaining('@'),
      PUBLIC_URL: `http://${gateway.replace(/:\d+$/, '')}`,
      RECEIPT_STORE: '${RECEIPT_STORE:-postgres}',
    });
    expect(services['receipts']?.secrets).toContain('s3_credentials');
  });

  it('has three NATS servers, a profile with the simulator and one for real Stripe, and everything that watches', () => {
    expect(Object.keys(services)).toEqual(
      expect.arrayContaining(['nats-1', 'nats-2', 'nats-3', 'prometheus', 'alertmanager', 'grafana', 'jaeger', 'mailpit']),
    );
    expect([services['simulator']?.profiles, services['stripe-cli']?.profiles]).toEqual([['simulator'], ['stripe']]);
    expect(textOf('deploy/compose/simulator.env')).toContain('COMPOSE_PROFILES=simulator');
    expect(textOf('deploy/compose/stripe.env')).toContain('COMPOSE_PROFILES=stripe');
  });

  it('has the simulator deliver what an endpoint of ours is registered for, as `stripe setup` does it', () => {
    const types = services['simulator']?.environment?.['STRIPE_WEBHOOK_EVENTS']?.split(',').map((type) => type.trim());
    expect(types).toEqual(HANDLED_EVENT_TYPES);
  });
});

describe('Users of the broker and roles of the database', () => {
  it('are those of the code: the accounts are generated from its topology', () => {
    expect(textOf('deploy/nats/accounts.conf')).toBe(accountsFile());
    expect(textOf('deploy/nats/nats-server.conf')).toContain('include accounts.conf');
  });

  it('are the services, each with its role', () => {
    expect(
      schemasOf()
        .map(({ role }) => role)
        .sort(),
    ).toEqual([...SERVICES].sort());
    const migrate = Object.keys(compose().services['migrate']?.environment ?? {});
    expect(migrate.sort()).toEqual(['DATABASE_URL_FILE', ...SERVICES.map((name) => `${name.toUpperCase()}_DATABASE_URL_FILE`)].sort());
  });
});
