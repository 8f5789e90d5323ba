import type { DiscrepancyView } from '@tidegate/contracts/responses';

/** The columns of interfaces that others read: add none, and change no order. */
const COLUMNS = [
  'class',
  'object',
  'payment_id',
  'stripe_id',
  'local',
  'remote',
  'first_seen',
  'age_seconds',
  'proposed_repair',
  'applied',
  'reason',
] as const satisfies readonly (keyof DiscrepancyView)[];

export const CSV_HEADER = `${COLUMNS.join(',')}\r\n`;

/** Rows as CSV (RFC 4180). A cell that a spreadsheet would take for a formula begins with an apostrophe: ids and reasons come from outside. */
export const csvOf = (rows: readonly DiscrepancyView[]): string =>
  rows.map((row) => `${COLUMNS.map((name) => cell(row[name])).join(',')}\r\n`).join('');

/** The full-width forms, too, which some spreadsheets take for the others: https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

function cell(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
