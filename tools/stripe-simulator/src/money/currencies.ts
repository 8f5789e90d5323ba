/** Facts about currencies from Stripe's currency page; amounts are integers in the minor unit. */

const ALL =
  'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw';
const CODES = new Set(ALL.split(' '));

const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '));
const WHOLE_UNITS_ONLY = new Set(['ugx', 'isk']);

/** The smallest charge, in minor units. */
const MINIMUM: Readonly<Record<string, number>> = {
  usd: 50,
  eur: 50,
  aud: 50,
  cad: 50,
  chf: 50,
  nzd: 50,
  sgd: 50,
  inr: 50,
  brl: 50,
  gbp: 30,
  jpy: 50,
  krw: 50,
  sek: 300,
  nok: 300,
  dkk: 250,
  hkd: 400,
  mxn: 1000,
  aed: 200,
  pln: 200,
  ron: 200,
  myr: 200,
  czk: 1500,
  huf: 17500,
  thb: 1000,
};

export function isCurrency(code: string): boolean {
  return CODES.has(code);
}

export function currencyCodes(): readonly string[] {
  return [...CODES];
}

export function decimals(currency: string): 0 | 2 | 3 {
  if (ZERO_DECIMAL.has(currency)) return 0;
  return THREE_DECIMAL.has(currency) ? 3 : 2;
}

/** What every amount must be divisible by: 10 in three-decimal currencies, 100 where only whole units exist. */
export function granularity(currency: string): number {
  if (WHOLE_UNITS_ONLY.has(currency)) return 100;
  return THREE_DECIMAL.has(currency) ? 10 : 1;
}

export function minimumAmount(currency: string): number {
  return MINIMUM[currency] ?? 1;
}

/** For messages: `$0.50 usd` style without the symbol, for example `0.50 usd`. */
export function formatAmount(amount: number, currency: string): string {
  const places = decimals(currency);
  return `${(amount / 10 ** places).toFixed(places)} ${currency}`;
}
