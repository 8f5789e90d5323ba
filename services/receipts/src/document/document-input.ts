/** What a template gets: finished words and figures only, so that the same input makes the same bytes. */
export interface DocumentInput {
  lang: string;
  dir: 'ltr' | 'rtl';
  /** #rrggbb */
  accent: string;
  /** SHA-256 of a PNG that the renderer is given beside the input. */
  logo: string | null;
  title: string;
  number: string;
  notice: string | null;
  /** Across the page: the document does not count any more. */
  stamp: string | null;
  seller: { name: string; lines: string[] };
  paid: { label: string; amount: string; sentence: string };
  /** What happened to the payment since. */
  remarks: string[];
  facts: { label: string; value: string }[];
  table: { columns: [string, string, string, string]; rows: DocumentRow[]; carried: string; brought: string };
  totals: { label: string; amount: string; strong: boolean }[];
  verify: { label: string; how: string; url: string; code: string } | null;
  footer: { left: string; page: string };
}

/** `note` is a line below the name, `running` the sum of the amounts up to this row. */
export interface DocumentRow {
  name: string;
  note: string | null;
  quantity: string;
  unit: string;
  amount: string;
  running: string;
}
