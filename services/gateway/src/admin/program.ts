import { shellUser } from '@tidegate/database/shell-user';
import { scrub } from '@tidegate/telemetry/scrub';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ALL_SCOPES, isScope, type Scope } from '../api-key/scopes.js';
import type { createKey, createTenant, Operator } from './commands.js';
import { adminDatabaseUrl } from './config.js';

/** The commands that make tenants and keys; they need the database, because no key exists before the first one. */
export function adminProgram(commands: { createTenant: typeof createTenant; createKey: typeof createKey }): Command {
  const program = new Command('gateway-admin').description('Makes tenants and API keys. Uses DATABASE_URL and prints JSON.');
  program
    .command('create-tenant')
    .argument('<id>', 'lower-case letters, digits and dashes', tenantId)
    .option('--reason <text>', 'why; kept with who and when', 'first key')
    .option('--name <text>', 'shown on receipts; the id by default')
    .addOption(new Option('--zone <IANA>', 'decides the year of its receipts').default('UTC').argParser(zone))
    .addOption(new Option('--locale <BCP 47>', 'language of its receipts').default('en').argParser(locale))
    .action((id: string, { reason, ...options }: { name?: string; zone: string; locale: string; reason: string }) =>
      print(() => commands.createTenant(adminDatabaseUrl(), { id, ...options, name: options.name ?? id }, operator(reason))),
    );
  program
    .command('create-key')
    .requiredOption('--tenant <id>', 'whose key it is')
    .requiredOption('--scopes <a,b,…>', `any of ${ALL_SCOPES.join(', ')}; or all`, scopes)
    .option('--reason <text>', 'why; kept with who and when', 'first key')
    .option('--livemode', 'a tg_live_ key')
    .option('--expires <time>', 'RFC 3339; never by default', time)
    .action((options: { tenant: string; scopes: Scope[]; livemode?: true; expires?: Date; reason: string }) =>
      print(() =>
        commands.createKey(
          adminDatabaseUrl(),
          {
            tenant: options.tenant,
            scopes: options.scopes,
            livemode: options.livemode ?? false,
            expiresAt: options.expires ?? null,
          },
          operator(options.reason),
        ),
      ),
    );
  return program;
}

async function print(command: () => Promise<unknown>): Promise<void> {
  try {
    process.stdout.write(`${JSON.stringify(await command())}\n`);
  } catch (error) {
    process.stderr.write(`${scrub(explained(error))}\n`);
    process.exitCode = 1;
  }
}

const operator = (reason: string): Operator => ({ actor: `shell:${shellUser()}`, reason });

function explained(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tenantId(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(text))
    throw new InvalidArgumentError('It must be lower-case letters, digits and dashes, at most 63, beginning with a letter.');
  return text;
}

function zone(text: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError('It must be an IANA time zone, such as Europe/Berlin.');
  }
}

function locale(text: string): string {
  try {
    return new Intl.Locale(text).toString();
  } catch {
    throw new InvalidArgumentError('It must be a BCP 47 language tag, such as de or en-GB.');
  }
}

function scopes(text: string): Scope[] {
  if (text === 'all') return ALL_SCOPES;
  const names = text.split(',').map((one) => one.trim());
  const unknown = names.filter((one) => !isScope(one));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no scope ${unknown.join(', ')}.`);
  return names.filter(isScope);
}

function time(text: string): Date {
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('It must be a time such as 2027-01-01T00:00:00Z.');
  return at;
}
