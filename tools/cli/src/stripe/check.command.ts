import type { StripeCheckResult, StripeCheckView } from '@tidegate/contracts/ops/stripe-check';
import type { BreakerView } from '@tidegate/contracts/responses';
import type { Command } from 'commander';
import { type Cli, type CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { facts } from '../output/table.js';
import { at } from '../output/time.js';

/** What each finding means for the one who is on call. */
const MEANING: Record<StripeCheckResult, string> = {
  connected: 'Stripe answers and takes the key.',
  dns: "The name of Stripe's host cannot be resolved: look at DNS on the machines of Tidegate.",
  tcp: 'No connection: a firewall, an egress policy, or a wrong STRIPE_API_BASE.',
  tls: 'A connection, but no trusted TLS: a proxy in between, a missing CA, or a wrong clock.',
  timeout: 'It takes too long: Stripe, or the network on the way.',
  connection_lost: 'The connection broke before the answer was whole.',
  bad_answer: 'What answered is not Stripe: a proxy, or a wrong STRIPE_API_BASE.',
  stripe_error: 'Stripe itself is failing: wait, the breaker tries by itself. Do not repeat payments by hand.',
  rate_limited: 'Stripe limits us: lower STRIPE_REQUEST_RATE_LIMIT.',
  auth_error: 'Stripe refuses the key: put the right one into STRIPE_SECRET_KEY (see `tidegate secrets fingerprint`).',
  forbidden: 'The key may not read the account: a restricted key without that right, or an account that Stripe has restricted.',
  api_version_mismatch: 'Stripe and Tidegate do not speak the same version of the API.',
  clock_skew: 'The clocks are apart: set the time of the machines (NTP), before signatures fail.',
};

export function stripeCheck(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'check',
    summary: 'What is wrong between Tidegate and Stripe, if anything',
    help: `Tells apart: connected, auth error, DNS, TCP, TLS, timeout, clock skew, API version mismatch, and Stripe's own errors.
Runs inside Tidegate, with its key and its network, past the breakers: it works while they are open and changes nothing about them.
Exit code 2: something is wrong with the way to Stripe. Breakers and Stripe's status page are shown and change nothing about that.`,
  }).action(
    cli.run(async (_options: CommonOptions) => {
      const [check, breakers] = await cli.progress('Asking Stripe', () =>
        Promise.all([cli.client.get<StripeCheckView>('/v1/ops/stripe/check'), cli.client.get<{ data: BreakerView[] }>('/v1/ops/breakers')]),
      );
      cli.show({ ...check, breakers: breakers.data.map(({ name, state }) => ({ name, state })) }, () => human(cli, check, breakers.data));
      return check.result === 'connected' ? 0 : 2;
    }),
  );
}

function human({ paint }: Cli, check: StripeCheckView, breakers: readonly BreakerView[]): string {
  const fine = check.result === 'connected';
  const head = fine ? paint.good('connected') : paint.bad(check.result.replaceAll('_', ' '));
  const findings = check.findings.map(({ result, detail }) => `  ${result}: ${detail}\n`).join('');
  const { status_page: page, timings, api_version: version } = check;
  const steps = (['dns', 'tcp', 'tls', 'answer'] as const).flatMap((step) => {
    const ms = timings[`${step}_ms`];
    return ms === null ? [] : [`${step} ${ms} ms`];
  });
  const rows = facts([
    ['stripe', check.api_base],
    ['reached', steps.join(', ') || 'nothing'],
    ['account', check.account && `${check.account} (${check.livemode ? 'live' : 'test'} mode)`],
    ['key', `${check.key.kind ?? 'unknown kind'} ${check.key.fingerprint}`],
    [
      'version',
      version.answered === null || version.answered === version.pinned ? version.pinned : `${version.answered}, not ${version.pinned}`,
    ],
    ['clock', check.clock_skew_seconds === null ? null : `${check.clock_skew_seconds} s apart`],
    ['request', check.request_id],
    ['asked by', `${check.instance} at ${at(check.checked_at)}`],
    ['breakers', breakers.map(({ name, state }) => `${name} ${state}`).join(', ')],
    ['status page', page.reachable ? `${page.indicator}: ${page.description} (${page.updated_at ?? 'undated'})` : `away: ${page.error}`],
  ]);
  return `Stripe: ${head}. ${MEANING[check.result]}\n${findings}\n${rows}`;
}
