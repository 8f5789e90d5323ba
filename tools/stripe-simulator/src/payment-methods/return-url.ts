import { invalidParam } from '../http/errors.js';
import { type Params } from '../schema/params.js';

/** Which payment methods Stripe may offer by itself; null when the caller chose. */
export type AutomaticMethods = { readonly enabled: boolean; readonly allow_redirects?: string } | null;

type Noun = 'PaymentIntent' | 'SetupIntent';

/** Confirmation with redirects allowed needs somewhere to return to. */
export function mustHaveReturnUrl(automatic: AutomaticMethods, params: Params, noun: Noun): void {
  const redirects = automatic?.enabled === true && automatic.allow_redirects !== 'never';
  if (redirects && typeof params['return_url'] !== 'string') throw invalidParam(returnUrlNeeded(noun));
}

/** `automatic_payment_methods`: on by default; off when the caller chose types himself. Excludes `confirmation_method`. */
export function automaticMethods(params: Params): AutomaticMethods {
  const asked = params['automatic_payment_methods'] as { enabled: boolean; allow_redirects?: string } | undefined;
  const rival = ['confirmation_method', 'payment_method_types'].find((name) => params[name] !== undefined);
  if (asked?.enabled && rival !== undefined)
    throw invalidParam(`You may only specify one of these parameters: automatic_payment_methods, ${rival}.`, rival);
  if (asked?.enabled === false || rival !== undefined) return null;
  return { enabled: true, allow_redirects: asked?.allow_redirects ?? 'always' };
}

/** What a customer must do in his browser, or in the app when there is nowhere to return to. */
export function authenticationStep(url: string, returnUrl: string | undefined): object {
  return returnUrl === undefined
    ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
    : { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } };
}

function returnUrlNeeded(noun: Noun): string {
  return `This ${noun} is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a \`return_url\`. If you don't want to accept redirect-based payment methods, set \`automatic_payment_methods[enabled]\` to \`true\` and \`automatic_payment_methods[allow_redirects]\` to \`never\` when creating Setup Intents and Payment Intents.`;
}
