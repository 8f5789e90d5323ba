import { type Params } from '../schema/params.js';
import { ASYNC_CAPTURE, DAHLIA, isBefore } from './version.js';

/** What dahlia renamed: `ui_mode` of Checkout Sessions, old name to new. */
const UI_MODES: Readonly<Record<string, string>> = { hosted: 'hosted_page', embedded: 'embedded_page', custom: 'elements' };
const OLD_UI_MODES = new Map(Object.entries(UI_MODES).map(([old, now]) => [now, old]));

/** The parameters of an older version in the words, and with the defaults written out, of the newest one. */
export function modernParams(version: string, operation: string, params: Params): Params {
  if (operation === 'POST /v1/payment_intents' && isBefore(version, ASYNC_CAPTURE)) return { capture_method: 'automatic', ...params };
  const mode = params['ui_mode'];
  if (operation === 'POST /v1/checkout/sessions' && typeof mode === 'string') return { ...params, ui_mode: UI_MODES[mode] ?? mode };
  return params;
}

/** An answer in the words of an older version: the same value when nothing is other. */
export function shownIn(version: string, value: unknown): unknown {
  return isBefore(version, DAHLIA) ? withOldUiModes(value) : value;
}

function withOldUiModes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withOldUiModes);
  if (typeof value !== 'object' || value === null) return value;
  const given = value as { object?: unknown; data?: unknown; ui_mode?: unknown };
  if (given.object === 'list') return { ...given, data: withOldUiModes(given.data) };
  if (given.object !== 'checkout.session' || typeof given.ui_mode !== 'string') return value;
  return { ...given, ui_mode: OLD_UI_MODES.get(given.ui_mode) ?? given.ui_mode };
}
