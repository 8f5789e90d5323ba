import { isAtLeast } from './version.js';

/** What a user may publish to and subscribe to; subjects may hold NATS wildcards. */
export interface NatsPermissions {
  publish: { allow: readonly string[] };
  subscribe: { allow: readonly string[] };
}

export interface NatsUser {
  user: string;
  password: string;
  /** Everything when left out. */
  permissions?: NatsPermissions;
}

export interface NatsConfig {
  port: number;
  /** Folder of the JetStream store. */
  store: string;
  users: readonly NatsUser[];
  maxFileStoreBytes: number;
  maxMemoryBytes: number;
  /** Write every acknowledged message through to the disk. 2.9 has no setting for it and writes through each two minutes. */
  syncAlways: boolean;
}

/** The most that the server's makers advise, as in deploy/nats: a receipt's PDF goes through the broker in one answer, and long ones have more than the usual megabyte. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

/** The configuration file for a server of that version, which refuses to start on any key that it does not know. */
export function configFile(config: NatsConfig, version: string): string {
  const sync = config.syncAlways && isAtLeast(version, '2.10.0') ? ['  sync_interval: always'] : [];
  return [
    'host: 127.0.0.1',
    `port: ${config.port}`,
    'server_name: tidegate-local',
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(config.store)}`,
    `  max_file_store: ${config.maxFileStoreBytes}`,
    `  max_memory_store: ${config.maxMemoryBytes}`,
    ...sync,
    '}',
    'authorization {',
    '  users: [',
    ...config.users.map((user) => `    ${userEntry(user)}`),
    '  ]',
    '}',
    '',
  ].join('\n');
}

function userEntry({ user, password, permissions }: NatsUser): string {
  const who = `user: ${JSON.stringify(user)}, password: ${JSON.stringify(password)}`;
  if (permissions === undefined) return `{ ${who} }`;
  const { publish, subscribe } = permissions;
  return `{ ${who}, permissions: { publish: { allow: ${JSON.stringify(publish.allow)} }, subscribe: { allow: ${JSON.stringify(subscribe.allow)} } } }`;
}
