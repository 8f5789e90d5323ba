/** `sk_live_…` and `rk_live_…` move real money. Source: https://docs.stripe.com/keys */
export const modeOfKey = (key: string): 'live' | 'test' => (/^[sr]k_live_/.test(key) ? 'live' : 'test');

/** What a key may not change while a process runs: ids and events of the two modes have nothing to do with each other. */
export const KEY_MODE = { what: 'the mode of the key', of: modeOfKey };
