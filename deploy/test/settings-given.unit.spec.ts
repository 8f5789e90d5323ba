import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RENDERED } from '@tidegate/local-stack/deploy/render-chart';
import { SERVICES } from '@tidegate/messaging/topology';
import { ConfigError, readConfig } from '@tidegate/service-host/config';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { compose, manifests, textOf } from './read-deploy.js';

type Env = Record<string, string>;
interface Container {
  env?: { name: string; value: string }[];
  volumeMounts?: { name: string; mountPath: string }[];
}
interface Volume {
  name: string;
  secret?: { secretName: string; items?: { key: string; path: string }[] };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-settings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What secrets of a kind look like; each stands in a file, and its setting is called like it. */
const SECRETS: Readonly<Record<string, (service: string) => string>> = {
  DATABASE_URL: (service) => `postgres://${service}:p1@postgres:5432/tidegate`,
  NATS_URL: (service) => `nats://${service}:p1@nats-1:4222,nats://${service}:p1@nats-2:4222`,
  STRIPE_SECRET_KEY: () => 'sk_test_made4tests',
  STRIPE_WEBHOOK_SECRET: () => 'whsec_made4tests',
  SMTP_URL: () => 'smtp://mail:25',
};

/** The faults that the service would end with, when it is given this environment. */
async function faultsOf(service: string, env: Env): Promise<readonly string[]> {
  const here = Object.entries(env).map(([name, value]): [string, string] => {
    const secret = SECRETS[name.replace(/_FILE$/, '')];
    if (!name.endsWith('_FILE') || secret === undefined) return [name, value];
    const file = join(folder, `${service}-${name}`);
    writeFileSync(file, `${secret(service)}\n`);
    return [name, file];
  });
  const settings = Object.values((await import(`../../services/${service}/src/config.ts`)) as object).find(
    (one) => one instanceof z.ZodObject,
  );
  try {
    readConfig(settings as z.ZodObject, Object.fromEntries(here));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const workloads = manifests(textOf(RENDERED));
const podOf = (service: string) => {
  const { spec } = workloads.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === service)!.spec.template;
  return spec as { containers: [Container]; volumes: Volume[] };
};
const environmentOf = ({ env = [] }: Container): Env => Object.fromEntries(env.map(({ name, value }) => [name, value]));

describe.each(SERVICES)('%s', (service) => {
  it('starts with what the chart gives it', async () => {
    expect(await faultsOf(service, environmentOf(podOf(service).containers[0]))).toEqual([]);
  });

  it.each(['simulator', 'stripe'])('starts with what the compose file gives it in the profile %s', async (profile) => {
    const given: Env = parseEnv(textOf(`deploy/compose/${profile}.env`)) as Env;
    const env = Object.entries(compose().services[service]?.environment ?? {}).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, variable: string, otherwise: string) => given[variable] || otherwise),
    ]);
    expect(await faultsOf(service, Object.fromEntries(env) as Env)).toEqual([]);
  });

  it('would be told of a setting that is missing', async () => {
    const { NATS_URL_FILE: _, ...rest } = environmentOf(podOf(service).containers[0]);
    expect(await faultsOf(service, rest)).toEqual(['NATS_URL: is required']);
  });
});

describe('Each file that a container of the chart reads a secret from', () => {
  const containers = workloads
    .filter(({ kind }) => ['Deployment', 'Job', 'CronJob'].includes(kind))
    .flatMap(({ kind, metadata, spec }) => {
      const pod = (kind === 'CronJob' ? spec.jobTemplate.spec : spec).template.spec as { containers: Container[]; volumes: Volume[] };
      return pod.containers.map((container) => ({ name: metadata.name, container, volumes: pod.volumes }));
    });

  it('is a key of a Secret that is mounted there, and is called like its setting', () => {
    const read = containers.flatMap(({ name, container, volumes }) =>
      Object.entries(environmentOf(container))
        .filter(([setting]) => setting.endsWith('_FILE'))
        .map(([setting, path]) => ({ name, setting, path, ...mounted(container, volumes, path) })),
    );
    expect(read.length).toBeGreaterThan(20);
    const wrong = read.filter(({ setting, path, there }) => !there || !setting.endsWith(`${path.split('/').at(-1)}_FILE`));
    expect(wrong.map(({ name, setting, path }) => `${name}: ${setting} is ${path}`)).toEqual([]);
  });

  it('is in a Secret that the page on deploying tells of, with that key', () => {
    const page = textOf('docs/deploy.md');
    const rows = new Map(
      [...page.matchAll(/^\| (`tidegate-[^|]*) \| ([^|]*) \|/gm)].flatMap(([, names = '', keys = '']) =>
        [...names.matchAll(/`(?:tidegate)?(-[a-z]+)`/g)].map(([, end = '']): [string, string] => [`tidegate${end}`, keys]),
      ),
    );
    const read = containers.flatMap(({ container, volumes }) =>
      Object.entries(environmentOf(container)).flatMap(([setting, path]) => {
        const secret = setting.endsWith('_FILE') ? mounted(container, volumes, path).secret : undefined;
        return secret === undefined ? [] : [{ secret, key: path.split('/').at(-1)! }];
      }),
    );
    expect(read.filter(({ secret, key }) => !rows.get(secret)?.includes(`\`${key}\``))).toEqual([]);
  });
});

/** Whether a path is a key of a mounted Secret, and which. */
function mounted({ volumeMounts = [] }: Container, volumes: readonly Volume[], path: string): { there: boolean; secret?: string } {
  const mount = volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
  const secret = volumes.find(({ name }) => name === mount?.name)?.secret;
  if (mount === undefined || secret === undefined) return { there: false };
  const key = path.slice(mount.mountPath.length + 1);
  return { there: secret.items === undefined || secret.items.some((item) => item.path === key), secret: secret.secretName };
}
