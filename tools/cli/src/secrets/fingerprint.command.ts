import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { isCancel, password } from '@clack/prompts';
import type { SecretFingerprintsView } from '@tidegate/contracts/ops/secrets';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { Failure } from '../exit.js';
import { table } from '../output/table.js';
import { differing, type SecretRow } from './findings.js';

export function secretsFingerprint(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'fingerprint',
    summary: 'Which secret each process really uses, as a fingerprint',
    help: `The fingerprint of one in your store: printf %s "$SECRET" | sha256sum | cut -c1-8
or let this command compare: --match asks for the secret, or reads it from a pipe. It stays on this machine.

Exit code 2: the replicas of a service use different secrets, a service does not answer, or --match finds none.`,
  })
    .option('--match', 'compare with a secret that you type or pipe in')
    .action(
      cli.run(async ({ match }: CommonOptions & { match?: true }) => {
        const wanted = match ? fingerprintOf(await secretFrom(cli)) : undefined;
        const view = await cli.client.get<SecretFingerprintsView>('/v1/ops/secrets');
        const rows = rowsOf(view, wanted);
        const findings = [
          ...differing(rows),
          ...view.silent.map((service) => `${service} does not answer`),
          ...(wanted !== undefined && !rows.some((row) => row.matches)
            ? [`no process uses the secret with the fingerprint ${wanted}`]
            : []),
        ];
        cli.show(
          { data: rows, silent: view.silent, findings },
          () => human(rows, wanted) + findings.map((one) => `${cli.paint.warn('!')} ${one}\n`).join(''),
        );
        return findings.length > 0 ? 2 : 0;
      }),
    );
}

const human = (rows: readonly SecretRow[], wanted: string | undefined): string =>
  table(
    ['SERVICE', 'PROCESS', 'SECRET', 'KIND', 'FINGERPRINT', 'FROM', ...(wanted === undefined ? [] : ['MATCH'])],
    rows.map((row) => [
      ...[row.service, row.instance, row.name, row.kind, row.fingerprint, row.source],
      ...(wanted === undefined ? [] : [row.matches ? 'yes' : 'no']),
    ]),
  );

function rowsOf({ data }: SecretFingerprintsView, wanted: string | undefined): SecretRow[] {
  return data.flatMap(({ service, instance, secrets }) =>
    secrets.map((one) => ({ service, instance, ...one, ...(wanted === undefined ? {} : { matches: one.fingerprint === wanted }) })),
  );
}

async function secretFrom({ terminal }: Cli): Promise<string> {
  const { input, output, interactive } = terminal;
  const typed = interactive ? await password({ message: 'The secret', input, output }) : (await text(input)).replace(/\r?\n$/, '');
  if (isCancel(typed) || typed === '') throw new Failure('secret.missing', 'No secret was given.');
  return typed;
}

const fingerprintOf = (secret: string): string => `sha256:${createHash('sha256').update(secret).digest('hex').slice(0, 8)}`;
