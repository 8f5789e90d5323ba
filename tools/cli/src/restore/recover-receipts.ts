import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { shellUser } from '@tidegate/database/shell-user';
import { InvalidArgumentError } from 'commander';
import { fromEnvironment, givenIn } from '../database/admin-url.js';
import { onConnection } from '../database/on-connection.js';
import { Failure } from '../exit.js';
import { builtProgram } from '../keys/gateway-admin.js';
import type { Terminal } from '../terminal.js';

/** Receipt numbers that were found and given to their payments again, and those that nobody has. */
export interface Recovered {
  found: string[];
  lost: string[];
  /** Whether the stream told how far numbers had gone. */
  stream: 'read' | 'not_there' | 'not_asked';
}

/** Of a command line. */
export type UpTo = Record<string, number>;

/** Nobody has said how far numbers had gone. */
export const isBlind = ({ stream }: Pick<Recovered, 'stream'>, upTo: UpTo): boolean => stream !== 'read' && Object.keys(upTo).length === 0;

export const BLIND =
  'nobody has said how far receipt numbers had gone: those given after the backup would be given again. Name RECEIPTS_NATS_URL, or the highest by --receipts-up-to';

/** One more `--receipts-up-to`; of several of one counter the highest counts. A series that there is none of would have its numbers lost, and the right one's given again. */
export function collectUpTo(value: string, known: UpTo): UpTo {
  const [counter = '', number] = value.split('=');
  if (!/^[^/=]+\/(R|CN)\/\d{4}$/.test(counter) || !/^\d{1,9}$/.test(number ?? ''))
    throw new InvalidArgumentError('Write it as tenant/series/year=number, the series being R for receipts or CN for credit notes.');
  return { ...known, [counter]: Math.max(Number(number), known[counter] ?? 0) };
}

/** Pairs for `facts`. */
export const recoveredFacts = ({ found, lost, stream }: Recovered): [string, string][] => [
  [
    'receipts found',
    stream === 'read'
      ? String(found.length)
      : `not looked for: ${stream === 'not_there' ? 'the broker has no stream of them' : 'RECEIPTS_NATS_URL is not set'}`,
  ],
  ['receipts lost', lost.length === 0 ? 'none' : lost.join(', ')],
];

/**
 * Has the receipts' own program append what its stream still has, because no tool carries a service's code. Without RECEIPTS_NATS_URL only what `upTo` says is known.
 * Throws a Failure with its reason.
 */
export async function recoverReceipts(terminal: Pick<Terminal, 'env'>, adminUrl: string, upTo: UpTo, reason: string): Promise<Recovered> {
  const natsUrl = givenIn(terminal.env, 'RECEIPTS_NATS_URL');
  const tenants = await tenantsIn(adminUrl);
  const child = spawn(process.execPath, [builtProgram('receipts', 'recover.main.js')], {
    env: {
      ...terminal.env,
      DATABASE_URL: fromEnvironment(terminal, 'RECEIPTS_DATABASE_URL'),
      NATS_URL: natsUrl ?? 'nats://127.0.0.1:1',
      DATABASE_URL_FILE: '',
      NATS_URL_FILE: '',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(
    JSON.stringify({ tenants, up_to: upTo, stream: natsUrl !== undefined, operator: { actor: `shell:${shellUser()}`, reason } }),
  );
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = child.exitCode ?? (await new Promise<number | null>((ended) => child.once('close', ended)));
  if (code !== 0) throw new Failure('restore.receipts_failed', err.trim() || out.trim() || `the receipts' program ended with ${code}`);
  return JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as Recovered;
}

/** What receipts looks like for each. */
async function tenantsIn(adminUrl: string): Promise<object[]> {
  return onConnection({ url: adminUrl, name: 'tidegate restore' }, async (client) => {
    const { rows } = await client.query<object>(
      "select id, name, zone, locale, legal_lines, tax_ids, accent, encode(logo, 'base64') as logo from gateway.tenants",
    );
    return rows;
  });
}
