import { relative } from 'node:path';
import { type CallerStripe } from '../stack/caller-stripe.js';
import { type Address } from '../observability/watchers.js';
import { type Stack } from '../stack/stack.js';

/** Where everything is, and a command to try. */
export function goodToKnow(stack: Stack, more: readonly Address[] = []): string {
  const { urls } = stack;
  const dir = relative(process.cwd(), stack.dir) || stack.dir;
  const addresses: Address[] = [
    ['REST API', `${urls.gateway[0]}   (its description: ${urls.gateway[0]}/openapi.json)`],
    ['Webhooks', `${urls.webhooks[0]}/webhooks/stripe`],
    ['Stripe', urls.simulator],
    ['Settings', `${dir}/local.env`],
    ['Processes', `${dir}/stack.json, logs in ${dir}/logs`],
    ...more,
  ];
  return ['', ...addresses.map(([name, where]) => `  ${name.padEnd(10)} ${where}`), '', ...(stack.hasKeys ? curl(stack, dir) : [])].join(
    '\n',
  );
}

function curl({ urls }: Stack, dir: string): string[] {
  return [
    'Try a payment of your own:',
    '',
    `  . ${dir}/local.env; curl -s ${urls.gateway[0]}/v1/payments \\`,
    '    -H "Authorization: Bearer $TIDEGATE_API_KEY" -H "Idempotency-Key: my-first-payment" -H "Content-Type: application/json" \\',
    `    -d '{"amount": 1999, "currency": "eur", "payment_method": "pm_card_visa"}'`,
  ];
}

/** What brings Stripe's deliveries to a laptop. It refuses to listen unless it is told to which events (1.52). */
export const forwarding = (webhooksUrl: string): string => `stripe listen --all-snapshot --forward-to ${webhooksUrl}/webhooks/stripe`;

/** What real Stripe needs to reach a laptop. */
export function explainForwarding(stack: Stack, stripe: Exclude<CallerStripe, { kind: 'simulator' }>): string {
  const forward = forwarding(stack.urls.webhooks[0] ?? '');
  const key =
    stripe.kind === 'live'
      ? 'Live key: nothing is created by itself, no payment and no API key.'
      : 'Test key: this talks to real Stripe in test mode.';
  const secret = stripe.webhookSecretMissing
    ? `\nSTRIPE_WEBHOOK_SECRET is not set, so no webhook is believed: "stripe listen --print-secret" prints it; set it and start again.`
    : '';
  return `${key}\nWebhooks come to this machine through Stripe's own command line:  ${forward}${secret}`;
}
