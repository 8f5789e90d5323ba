import { invalidParam, noSuch } from '../http/errors.js';
import { type Collection, type Stored } from '../store/collection.js';
import { retire } from '../webhooks/retired-secrets.js';
import { type World } from '../world.js';
import { type Body, text } from './body.js';

/** Stripe lets a rolled secret sign for at most a day longer (docs.stripe.com/webhooks, rolling endpoint secrets). */
const LONGEST_SECONDS = 86_400;

type Signing = Stored & { readonly secrets: readonly string[] };

/**
 * `{endpoint, expires_in_seconds?}` rolls the secret of a webhook endpoint or event destination and shows the new one. Until the old
 * one expires (0, the default: at once) every attempt carries a signature by each.
 */
export function rotateSecretAction(world: World, body: Body): object {
  const id = text(body, 'endpoint');
  const forSeconds = body['expires_in_seconds'] ?? 0;
  if (!Number.isSafeInteger(forSeconds) || (forSeconds as number) < 0 || (forSeconds as number) > LONGEST_SECONDS)
    throw invalidParam(`expires_in_seconds must be a whole number from 0 to ${LONGEST_SECONDS}.`, 'expires_in_seconds');
  const home = [world.endpoints, world.eventDestinations].find((collection) => collection.get(id) !== undefined) as
    Collection<Signing> | undefined;
  const before = home?.get(id);
  if (home === undefined || before === undefined) throw noSuch('webhook endpoint', id, 'endpoint');
  const secret = `whsec_${world.ids.text(32)}`;
  retire(world, id, before.secrets, forSeconds as number);
  home.replace({ ...before, secrets: [secret] });
  return { endpoint: id, secret, previous_expires_at: world.clock.nowSeconds() + (forSeconds as number) };
}
