import { parseArgs } from 'node:util';
import { isKnownVersion } from './http/version.js';
import { DOCUMENTED_RATE_LIMITS } from './limits/rate-limits.js';
import { API_VERSION } from './schema/schema.js';
import { type SimulatorOptions } from './simulator.js';

/**
 * Options of the command from flags and environment; a flag wins. Throws with one sentence for a wrong value.
 * PORT, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_WEBHOOK_URL, STRIPE_WEBHOOK_EVENTS (the last four comma-separated), SIMULATOR_SEED,
 * SIMULATOR_STATE, SIMULATOR_DELIVERY_SCHEDULE_MS, SIMULATOR_BALANCE_DELAY_MS, SIMULATOR_REFUND_UPDATE_DELAY_MS,
 * SIMULATOR_RATE_LIMITS, SIMULATOR_API_VERSION, SIMULATOR_SELF_CHECK.
 */
export function readConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): SimulatorOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      state: { type: 'string' },
      seed: { type: 'string' },
      'webhook-url': { type: 'string', multiple: true },
      'webhook-events': { type: 'string' },
      'delivery-schedule-ms': { type: 'string' },
      'balance-delay-ms': { type: 'string' },
      'refund-update-delay-ms': { type: 'string' },
      'rate-limits': { type: 'string' },
      'api-version': { type: 'string' },
      'self-check': { type: 'boolean' },
    },
  });
  const port = wholeNumber('port', values.port ?? env['PORT']) ?? 0;
  const urls = values['webhook-url'] ?? list(env['STRIPE_WEBHOOK_URL']);
  const secrets = list(env['STRIPE_WEBHOOK_SECRET']);
  if (urls.length > 0 && secrets.length === 0) throw new Error('A webhook URL needs STRIPE_WEBHOOK_SECRET to sign with.');
  const enabledEvents = list(values['webhook-events'] ?? env['STRIPE_WEBHOOK_EVENTS']);
  const seed = wholeNumber('seed', values.seed ?? env['SIMULATOR_SEED']);
  const balanceDelayMs = wholeNumber('balance-delay-ms', values['balance-delay-ms'] ?? env['SIMULATOR_BALANCE_DELAY_MS']);
  const refundUpdateDelayMs = wholeNumber(
    'refund-update-delay-ms',
    values['refund-update-delay-ms'] ?? env['SIMULATOR_REFUND_UPDATE_DELAY_MS'],
  );
  const schedule = list(values['delivery-schedule-ms'] ?? env['SIMULATOR_DELIVERY_SCHEDULE_MS']);
  const stateFile = values.state ?? env['SIMULATOR_STATE'];
  return {
    port,
    host: values.host ?? '127.0.0.1',
    apiKeys: list(env['STRIPE_SECRET_KEY']),
    webhooks: urls.map((url) => ({ url, secrets, ...(enabledEvents.length > 0 && { enabledEvents }) })),
    ...(seed !== undefined && { seed }),
    ...(balanceDelayMs !== undefined && { balanceDelayMs }),
    ...(refundUpdateDelayMs !== undefined && { refundUpdateDelayMs }),
    ...(schedule.length > 0 && { deliverySchedule: schedule.map((entry) => wholeNumber('delivery-schedule-ms', entry) ?? 0) }),
    ...apiVersion(values['api-version'] ?? env['SIMULATOR_API_VERSION'] ?? ''),
    ...rateLimits(values['rate-limits'] ?? env['SIMULATOR_RATE_LIMITS'] ?? ''),
    ...((values['self-check'] ?? yesOrNo('SIMULATOR_SELF_CHECK', env)) && { selfCheck: true }),
    ...(stateFile !== undefined && stateFile !== '' && { stateFile }),
  };
}

function apiVersion(text: string): Pick<SimulatorOptions, 'accountApiVersion'> {
  if (text === '') return {};
  if (isKnownVersion(text)) return { accountApiVersion: text };
  throw new Error(`--api-version must be a version of Stripe's API such as ${API_VERSION}, not "${text}".`);
}

function rateLimits(text: string): Pick<SimulatorOptions, 'rateLimits'> {
  if (text === '' || text === 'off') return {};
  if (text === 'sandbox' || text === 'live') return { rateLimits: DOCUMENTED_RATE_LIMITS[text] };
  throw new Error(`--rate-limits must be off, sandbox or live, not "${text}".`);
}

function yesOrNo(name: string, env: Readonly<Record<string, string | undefined>>): boolean {
  const text = env[name] ?? '';
  if (!['', 'true', 'false'].includes(text)) throw new Error(`${name} must be true or false, not "${text}".`);
  return text === 'true';
}

function list(text = ''): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} must be a whole number, not "${text}".`);
  return Number(text);
}
