/** What a template gets: finished words and figures only, so that the same input makes the same bytes. */
export interface DocumentInput {
  lang: string;
  title: string;
  number: string;
  notice: string | null;
  seller: { name: string; lines: string[] };
  paid: { label: string; amount: string; sentence: string };
  facts: { label: string; value: string }[];
  table: { columns: [string, string, string, string]; rows: { name: string; quantity: string; unit: string; amount: string }[] };
  totals: { label: string; amount: string; strong: boolean }[];
  footer: { left: string; page: string };
}
