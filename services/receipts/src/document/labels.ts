/** The fixed words of a receipt. A language is added by adding its record; a locale without one prints in English. */
export interface Labels {
  title: string;
  amount_paid: string;
  paid_on: (date: string) => string;
  receipt_number: string;
  issued_on: string;
  paid_with: string;
  payment: string;
  billed_to: string;
  for: string;
  item: string;
  /** Names the one line of a payment that came without line items and description. */
  payment_line: string;
  quantity: string;
  unit_price: string;
  amount: string;
  subtotal: string;
  discount: string;
  tax: string;
  items_total: string;
  total_paid: string;
  page: string;
  test_mode: string;
}

const en: Labels = {
  title: 'Receipt',
  amount_paid: 'Amount paid',
  paid_on: (date) => `Paid on ${date}`,
  receipt_number: 'Receipt number',
  issued_on: 'Date of issue',
  paid_with: 'Paid with',
  payment: 'Payment reference',
  billed_to: 'Billed to',
  for: 'For',
  item: 'Item',
  payment_line: 'Payment',
  quantity: 'Quantity',
  unit_price: 'Unit price',
  amount: 'Amount',
  subtotal: 'Subtotal',
  discount: 'Discount',
  tax: 'Tax',
  items_total: 'Total of items',
  total_paid: 'Amount paid',
  page: 'Page',
  test_mode: 'Test mode: no money moved',
};

const BY_LANGUAGE: Record<string, Labels> = { en };

/** The first wanted locale whose language has labels, else `en`. Words and figures always speak the same language. */
export function labelsFor(wanted: readonly (string | null)[]): { locale: string; labels: Labels } {
  for (const locale of wanted) {
    const language = locale === null ? undefined : languageOf(locale);
    const labels = language === undefined ? undefined : BY_LANGUAGE[language];
    if (locale !== null && labels) return { locale, labels };
  }
  return { locale: 'en', labels: en };
}

function languageOf(locale: string): string | undefined {
  try {
    return new Intl.Locale(locale).language;
  } catch {
    return undefined;
  }
}
