export interface NumberParts {
  series: string;
  year: number;
  /** From 1, without a gap within the series and year. */
  sequence: number;
}

const PLACEHOLDER = /\{(series|year|sequence)(?::(\d))?\}/g;

/** `{series}-{year}-{sequence:6}` and R, 2026, 42 -> `R-2026-000042`; `:6` pads to six digits and never cuts. */
export function formatNumber(format: string, parts: NumberParts): string {
  return format.replace(PLACEHOLDER, (_, name: keyof NumberParts, width?: string) => String(parts[name]).padStart(Number(width ?? 0), '0'));
}

/** Whether different numbers can never look the same: it needs series, year and sequence, and something between two of them. */
export function isNumberFormat(format: string): boolean {
  const names = [...format.matchAll(PLACEHOLDER)].map((match) => match[1]);
  const complete = names.length === 3 && new Set(names).size === 3;
  return complete && !format.includes('}{') && /^[A-Za-z0-9 ./-]*$/.test(format.replace(PLACEHOLDER, ''));
}
