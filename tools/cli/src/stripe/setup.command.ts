import type { StripeSetupDoneView, StripeSetupView } from '@tidegate/contracts/ops/stripe-setup';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { Failure } from '../exit.js';
import { facts, table } from '../output/table.js';
import { findVariable } from '../settings/settings.js';

interface Options extends CommonOptions {
  url?: string;
  check?: true;
}

const PATH = '/webhooks/stripe';

export function stripeSetup(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'setup',
    summary: "Register Stripe's webhook endpoint as Tidegate needs it, or repair it",
    help: `With --check it only reports: URL, enabled, event types, API version, signing secret; exit code 2 when something differs.
May be repeated. The API version cannot be changed, so a new endpoint replaces one of another version:
  1. tidegate stripe setup --reason …         makes it and shows its signing secret, once
  2. add the secret to STRIPE_WEBHOOK_SECRET  (comma-separated, beside the old one)
  3. tidegate stripe setup --reason …         disables the old one, now that the new secret is in use`,
  })
    .option('--url <url>', `where Stripe delivers; ${PATH} at TIDEGATE_WEBHOOKS_URL unless given`)
    .option('--check', 'only report what differs')
    .option('--reason <text>', 'why; kept with who and when; needed unless --check')
    .option('--yes', 'do it without asking')
    .action(
      cli.run(async (options: Options) => {
        const url = urlOf(cli, options);
        const view = await cli.progress('Asking Stripe', () => cli.client.get<StripeSetupView>('/v1/ops/stripe/setup', { url }));
        if (options.check) {
          cli.show(view, () => human(cli, view));
          return view.drift.length > 0 ? 2 : 0;
        }
        const { reason } = options;
        if (!reason) throw new Failure('reason.missing', 'Say why with --reason, or only look with --check.');
        if (view.actions.length === 0) {
          cli.show({ done: true, would: [], result: { object: 'stripe_setup_done', done: [], created: null, now: view } }, () =>
            human(cli, view),
          );
          return view.drift.length > 0 ? 2 : 0;
        }
        const { done, result } = await cli.change(
          options,
          {
            will: view.actions.map(({ detail }) => detail),
            act: () => cli.client.post<StripeSetupDoneView>('/v1/ops/stripe/setup', { url, reason }),
          },
          (after) => `${secretText(after)}${human(cli, after.now)}`,
        );
        if (!done) return 1;
        return result.now.drift.length > 0 ? 2 : 0;
      }),
    );
}

function urlOf({ terminal }: Cli, { url }: Options): string {
  if (url !== undefined) return url;
  const base = findVariable(terminal, 'TIDEGATE_WEBHOOKS_URL');
  if (base === undefined)
    throw new Failure('url.missing', `Say with --url where Stripe reaches the webhooks service, such as https://hooks.example.com${PATH}.`);
  return `${base.replace(/\/+$/, '')}${PATH}`;
}

function secretText({ created }: StripeSetupDoneView): string {
  if (!created) return '';
  return `${facts([
    ['endpoint', created.id],
    ['secret', created.secret],
    ['fingerprint', created.fingerprint],
  ])}
Put the secret into STRIPE_WEBHOOK_SECRET of the webhooks service now, beside the old one, separated by a comma (or into the file that
STRIPE_WEBHOOK_SECRET_FILE names: then no restart is needed). Nothing shows it again. Until then deliveries to the new endpoint are refused, and
Stripe repeats them.

`;
}

function human({ paint }: Cli, { url, api_version, events, endpoints, drift }: StripeSetupView): string {
  const head = facts([
    ['url', url],
    ['version', api_version],
    ['events', `${events.length} types`],
  ]);
  const rows =
    endpoints.length === 0
      ? ''
      : `\n${table(
          ['ENDPOINT', 'STATUS', 'VERSION', 'EVENTS', 'SECRET'],
          endpoints.map((one) => [one.id, one.status, one.api_version ?? 'default', one.events.length, one.secret]),
        )}`;
  const found =
    drift.length === 0
      ? paint.good('The endpoint is as it should be.')
      : drift
          .map(
            ({ kind, endpoint, detail }) => `${paint.warn('!')} ${kind.replaceAll('_', ' ')}${endpoint ? ` (${endpoint})` : ''}: ${detail}`,
          )
          .join('\n');
  return `${head}${rows}\n${found}\n`;
}
