import { migrateAll } from '@tidegate/database/migrate';
import { schemasOf } from '@tidegate/database/schema-file';
import { createLogger } from '@tidegate/telemetry/logger';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { Failure, failureOf } from '../exit.js';
import type { Terminal } from '../terminal.js';
import { adminUrl, rolePassword } from './admin-url.js';

export function databaseMigrate(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'migrate',
    summary: 'Create or bring up to date every schema and login role, before a new version starts',
    help: `DATABASE_URL is that of the database's owner, who may create roles; GATEWAY_DATABASE_URL, PAYMENTS_DATABASE_URL and so on are those of the services, whose
passwords the roles get. Each may be given as NAME_FILE. Run it before the new version starts: services of the version before go on beside it.`,
  }).action(
    cli.run(async (options: CommonOptions) => {
      const [url, schemas] = [adminUrl(cli.terminal), schemasOf()];
      const passwords = new Map(schemas.map(({ role }) => [role, rolePassword(cli.terminal, role)]));
      const { done } = await cli.change(
        options,
        {
          will: [
            `bring the schemas ${schemas.map(({ schema }) => schema).join(', ')} and what they share up to date, and set the passwords of their roles`,
          ],
          act: () => migrated(cli.terminal, url, (role) => passwords.get(role) ?? ''),
        },
        ({ applied }) => (applied.length === 0 ? 'Everything was up to date.' : `Done:\n${applied.map((id) => `  ${id}`).join('\n')}`),
      );
      return done ? 0 : 1;
    }),
  );
}

/** What it waits for goes to stderr, as JSON lines; throws a Failure for what an operator can help. */
export async function migrated(terminal: Terminal, url: string, password: (role: string) => string): Promise<{ applied: string[] }> {
  const logger = createLogger({ service: 'migrate', destination: { write: (line) => terminal.err(line) } });
  try {
    return await migrateAll(url, { password, logger });
  } catch (error) {
    const { message } = failureOf(error) ?? (error instanceof Error ? error : new Error(String(error)));
    throw new Failure('database.not_migrated', message);
  }
}
