/** One currency as Stripe counts it. Source: https://docs.stripe.com/currencies */
export interface Currency {
  code: string;
  /** Decimal places of the major unit: 0, 2 or 3. */
  exponent: 0 | 2 | 3;
  /** Amounts must be divisible by this many minor units. */
  step: bigint;
  /** Smallest charge in minor units, as far as Stripe states it for a settlement currency; else 1. */
  minimum: bigint;
  /** Largest charge in minor units: twelve digits. */
  maximum: bigint;
}

const CODES =
  'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw'.split(
    ' ',
  );

const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));
const THREE_DECIMAL = new Set('bhd jod kwd omr tnd'.split(' '));
/** Written with two decimals for history's sake, yet only whole units exist. */
const WHOLE_UNITS = new Set(['isk', 'ugx']);

const MINIMUM: Readonly<Record<string, bigint>> = {
  usd: 50n, eur: 50n, aud: 50n, cad: 50n, chf: 50n, nzd: 50n, sgd: 50n, inr: 50n, brl: 50n,
  gbp: 30n, jpy: 50n, krw: 50n, sek: 300n, nok: 300n, dkk: 250n, hkd: 400n, mxn: 1000n,
  aed: 200n, pln: 200n, ron: 200n, myr: 200n, czk: 1500n, huf: 17500n, thb: 1000n,
}; // prettier-ignore

export const MAXIMUM_AMOUNT = 999_999_999_999n;

const TABLE: ReadonlyMap<string, Currency> = new Map(CODES.map((code) => [code, describe(code)]));

/** The currency of a lower-case three-letter code, or null when Stripe does not take it. */
export const currencyOf = (code: string): Currency | null => TABLE.get(code) ?? null;

export const currencies = (): readonly Currency[] => [...TABLE.values()];

function describe(code: string): Currency {
  const exponent = ZERO_DECIMAL.has(code) ? 0 : THREE_DECIMAL.has(code) ? 3 : 2;
  return { code, exponent, step: stepOf(code), minimum: MINIMUM[code] ?? 1n, maximum: MAXIMUM_AMOUNT };
}

/** Three-decimal amounts end in 0, because card networks settle two decimals. */
function stepOf(code: string): bigint {
  if (WHOLE_UNITS.has(code)) return 100n;
  return THREE_DECIMAL.has(code) ? 10n : 1n;
}
