import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsUser } from '@tidegate/local-stack/nats-server/config-file';
import { findNatsServer } from '@tidegate/local-stack/nats-server/find-nats-server';
import { NatsServer } from '@tidegate/local-stack/nats-server/nats-server';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { mustBeEnded } from './leaks.js';

export interface NatsForTestsOptions {
  /** Default: one user `admin` who may do everything. */
  users?: readonly NatsUser[];
  /** Limit of the JetStream store; default: as in the local stack, which has room for every stream. */
  maxFileStoreBytes?: number;
}

/** A nats-server of one test file, on a port that stays its own. */
export interface TestNats {
  port: number;
  version: string;
  /** Folder of the JetStream store, to copy and to restore. */
  store: string;
  /** With the credentials of a user in it, as NATS_URL has them; default: the first user. The client library ignores credentials in URLs. */
  url(user?: string): string;
  /** The same for the client library's `connect`. */
  connectOptions(user?: string): { servers: string; user: string; pass: string };
  /** SIGKILL; the store stays. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGTERM and start again. */
  restart(): Promise<void>;
  /** SIGKILL and start again with an empty store. */
  wipe(): Promise<void>;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

/** Starts a private nats-server with JetStream. Takes some 100 ms. */
export async function natsForTests(options: NatsForTestsOptions = {}): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-nats-'));
  const users = options.users ?? [{ user: 'admin', password: 'admin-in-tests' }];
  const first = users[0]?.user ?? 'admin';
  const server = await NatsServer.prepare({
    program: await findNatsServer(),
    folder,
    port: await freePort(),
    log: join(folder, 'nats.log'),
    users,
    syncAlways: false,
    ...(options.maxFileStoreBytes === undefined ? {} : { maxFileStoreBytes: options.maxFileStoreBytes }),
  });
  await server.start();
  const ended = mustBeEnded(`nats-server on port ${server.port}`);
  return {
    port: server.port,
    version: server.version,
    store: server.store,
    url: (user = first) => server.url(user),
    connectOptions(user = first) {
      const { username, password, host } = new URL(server.url(user));
      return { servers: host, user: username, pass: password };
    },
    kill: () => server.kill(),
    start: () => server.start(),
    async restart() {
      await server.stop();
      await server.start();
    },
    async wipe() {
      await server.kill();
      server.wipe();
      await server.start();
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
      ended();
    },
  };
}
