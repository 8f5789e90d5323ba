import { natsPermissions, SERVICES } from './topology.js';

/** The variable that holds the password of a NATS user, as the server reads it. */
export const passwordVariable = (user: string): string => `NATS_${user.toUpperCase()}_PASSWORD`;

/** Users beside the services: `admin` may do everything in the account of the events, `sys` looks after the servers. */
export const ADMIN_USER = 'admin';
export const SYSTEM_USER = 'sys';
const ACCOUNT = 'TIDEGATE';

/**
 * The accounts of a nats-server as its configuration has them: one account for Tidegate with JetStream and a user per service that may do what the topology
 * says and no more, one for the servers themselves. Passwords, or bcrypt hashes of them, are variables of the server's environment.
 */
export function accountsFile(): string {
  const services = SERVICES.map((service) => {
    const { publish, subscribe } = natsPermissions(service);
    return [
      `      {`,
      `        user: ${service}`,
      `        password: $${passwordVariable(service)}`,
      `        permissions: {`,
      `          publish: { allow: ${list(publish.allow)} }`,
      `          subscribe: { allow: ${list(subscribe.allow)} }`,
      `        }`,
      `      }`,
    ].join('\n');
  });
  return [
    '# Generated from libs/messaging/src/topology.ts. A user may do what its service does; none may delete a stream or another one’s consumer.',
    'accounts: {',
    `  ${ACCOUNT}: {`,
    '    jetstream: enabled',
    '    users: [',
    ...services,
    `      { user: ${ADMIN_USER}, password: $${passwordVariable(ADMIN_USER)} }`,
    '    ]',
    '  }',
    `  SYS: { users: [ { user: ${SYSTEM_USER}, password: $${passwordVariable(SYSTEM_USER)} } ] }`,
    '}',
    'system_account: SYS',
    '',
  ].join('\n');
}

const list = (subjects: readonly string[]): string =>
  `[\n${subjects.map((subject) => `            ${JSON.stringify(subject)}`).join('\n')}\n          ]`;
