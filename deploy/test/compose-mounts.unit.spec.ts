import { existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compose, ROOT } from './read-deploy.js';

const COMPOSE = join(ROOT, 'deploy', 'compose');
const { services, secrets } = compose();
const all = Object.entries(services);

interface Mount {
  source: string;
  target: string;
}

/** What a container sees of the checkout: folders and files, as `./source:/target[:ro]`. */
const mountsOf = (volumes: readonly string[] = []): Mount[] =>
  volumes
    .map((volume) => volume.split(':'))
    .filter(([source = '']) => source.startsWith('.'))
    .map(([source = '', target = '']) => ({ source: join(COMPOSE, source), target }));

/** Where a path of the container lies in the checkout; null when nothing of it is mounted there. */
function behind(mounts: readonly Mount[], path: string): string | null {
  const mount = mounts.find(({ target }) => path === target || path.startsWith(`${target}/`));
  return mount === undefined ? null : join(mount.source, path.slice(mount.target.length));
}

describe('What the compose file mounts', () => {
  it('is there, a file where a file is meant: Docker makes an empty folder of what is not', () => {
    const mounted = all.flatMap(([name, { volumes }]) => mountsOf(volumes).map((mount) => ({ name, ...mount })));
    expect(mounted.length).toBeGreaterThan(5);
    const wrong = mounted.filter(({ source, target }) => !existsSync(source) || statSync(source).isFile() !== (extname(target) !== ''));
    expect(wrong.map(({ name, source }) => `${name}: ${source.slice(ROOT.length + 1)}`)).toEqual([]);
  });

  it('has the configuration that each program is told to read', () => {
    const told = all.flatMap(([name, { command = [], volumes }]) =>
      command
        .flatMap((word) => /^(?:--config\.file=)?(\/etc\/\S+)$/.exec(word)?.[1] ?? [])
        .map((path) => ({ name, path, file: behind(mountsOf(volumes), path) })),
    );
    expect(told.map(({ name }) => name)).toEqual(expect.arrayContaining(['nats-1', 'prometheus', 'alertmanager']));
    expect(told.filter(({ file }) => file === null || !existsSync(file)).map(({ name, path }) => `${name}: ${path}`)).toEqual([]);
  });

  it('has each secret that is named, for the container that reads it, and none that nobody reads', () => {
    const read = all.flatMap(([name, service]) =>
      [...JSON.stringify(service).matchAll(/\/run\/secrets\/([a-z0-9_]+)/g)].map(([, secret = '']) => ({ name, secret, service })),
    );
    expect(read.length).toBeGreaterThan(20);
    expect(
      read.filter(({ service, secret }) => !service.secrets?.includes(secret)).map(({ name, secret }) => `${name}: ${secret}`),
    ).toEqual([]);
    expect([...new Set(read.map(({ secret }) => secret))].sort()).toEqual(Object.keys(secrets).sort());
  });
});

describe('The database of the compose file', () => {
  it('is asked over TCP whether it is there: the server that makes a new volume listens on its socket alone, and goes again', () => {
    expect(services['postgres']?.healthcheck?.test).toEqual(expect.arrayContaining(['-h', '127.0.0.1']));
  });
});
