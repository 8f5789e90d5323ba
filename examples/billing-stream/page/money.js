// Stripe's own lists, which differ from those of Intl (HUF, IDR, ISK, UGX and others). Source: https://docs.stripe.com/currencies
const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '));

/** An amount in Stripe's minor units of a currency (lower case), for a person. */
export function money(amount, currency) {
  const digits = ZERO_DECIMAL.has(currency) ? 0 : THREE_DECIMAL.has(currency) ? 3 : 2;
  const shown = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat('en', shown).format(amount / 10 ** digits);
}
