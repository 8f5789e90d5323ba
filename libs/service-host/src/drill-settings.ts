import type { Environment } from './config.js';

/** Settings for drills and tests: they change what the product does, so they are refused wherever real Stripe could be on the other side. */
const DRILL_SETTINGS = ['TIDEGATE_FAILPOINT', 'TIDEGATE_CLOCK_URL'] as const;

export function faultsOfDrillSettings(env: Environment): string[] {
  if (!mayReachStripe(env)) return [];
  return DRILL_SETTINGS.filter((name) => env[name]).map((name) => `${name}: is refused unless STRIPE_API_BASE is the simulator`);
}

/** A service without Stripe settings reaches no Stripe; one with a key and no base uses api.stripe.com. */
function mayReachStripe(env: Environment): boolean {
  const base = env['STRIPE_API_BASE'];
  if (!base) return Boolean(env['STRIPE_SECRET_KEY'] ?? env['STRIPE_SECRET_KEY_FILE']);
  try {
    const { hostname } = new URL(base);
    return hostname === 'stripe.com' || hostname.endsWith('.stripe.com');
  } catch {
    return true;
  }
}
