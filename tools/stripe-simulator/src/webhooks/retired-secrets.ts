import { type Stored } from '../store/collection.js';
import { type World } from '../world.js';

/** A secret that was rolled and still signs, beside its successor, until it expires by the virtual clock. */
export interface RetiredSecret extends Stored {
  /** The endpoint or event destination. */
  readonly target: string;
  readonly secret: string;
  readonly expiresSeconds: number;
}

/** Everything that signs for a target now: its own secrets, then those that are retiring. */
export function signingSecrets(world: World, target: { readonly id: string; readonly secrets: readonly string[] }): readonly string[] {
  if (world.retiredSecrets.size === 0) return target.secrets;
  const now = world.clock.nowSeconds();
  const retiring = world.retiredSecrets.by('target', target.id).filter(({ expiresSeconds }) => expiresSeconds > now);
  return [...target.secrets, ...retiring.map(({ secret }) => secret)];
}

/** Lets secrets sign for a while longer. */
export function retire(world: World, target: string, secrets: readonly string[], forSeconds: number): void {
  const expiresSeconds = world.clock.nowSeconds() + forSeconds;
  for (const secret of secrets) world.retiredSecrets.insert({ id: world.ids.next('whrs'), target, secret, expiresSeconds });
}
