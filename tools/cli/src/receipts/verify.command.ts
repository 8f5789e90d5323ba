import type { ReceiptCheck, ReceiptChecks } from '@tidegate/contracts/ops/receipts';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { queryOf, type ReceiptOptions, withReceiptOptions } from './receipt-options.js';

const PAGE = 25;

export function receiptsVerify(parent: Command, cli: Cli): void {
  const command = looking(parent, {
    name: 'verify',
    summary: 'Make documents again and compare their bytes with what is on record',
    help: `Changes nothing. "other parts": the template, fonts or engine are not those that it was made with, so other bytes are no surprise; "erased": the payer
was erased since, so the document cannot be made as it was, and the stored one is the only one; "differs": the bytes are others although nothing of this is so. It also says which documents are missing or damaged in the store; those are made again when somebody reads them.

Example:
  tidegate receipts verify --since 24h

Exit code 2: some differ, cannot be made, or are not sound in the store.`,
  });
  withReceiptOptions(command).action(
    cli.run(async (options: CommonOptions & ReceiptOptions) => {
      const checks = await cli.bar('Making documents again', (show) => all(cli, options, show));
      const wrong = checks.filter(isWrong);
      cli.show({ checked: checks.length, counts: countsOf(checks), data: wrong }, () => text(checks, wrong));
      return wrong.length > 0 ? 2 : 0;
    }),
  );
}

async function all(cli: Cli, options: ReceiptOptions, show: (percent: number, text: string) => void): Promise<ReceiptCheck[]> {
  const checks: ReceiptCheck[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await cli.client.get<ReceiptChecks>('/v1/ops/receipt-checks', { ...queryOf(options), limit: PAGE, cursor });
    checks.push(...page.data);
    show(page.total === 0 ? 100 : Math.round((checks.length / page.total) * 100), `${checks.length} of ${page.total}`);
    if (page.next_cursor === null) return checks;
    cursor = page.next_cursor;
  }
}

const isWrong = ({ result, stored }: ReceiptCheck): boolean =>
  result === 'differs' || result === 'failed' || (result !== 'not_rendered' && stored !== 'sound');

const countsOf = (checks: readonly ReceiptCheck[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(checks, ({ result }) => result)].map(([result, some]) => [result, some.length]));

function text(checks: readonly ReceiptCheck[], wrong: readonly ReceiptCheck[]): string {
  const counts = Object.entries(countsOf(checks)).map(([result, many]) => `${many} ${result.replace('_', ' ')}`);
  const summary = checks.length === 0 ? 'There are none.' : `${checks.length} made again: ${counts.join(', ')}.`;
  if (wrong.length === 0) return `${summary}\n`;
  const rows = wrong.map((one) => [one.id, one.number, one.tenant, one.result.replace('_', ' '), one.stored, one.error]);
  return `${summary}\n\n${table(['RECEIPT', 'NUMBER', 'TENANT', 'BYTES', 'STORED', 'ERROR'], rows)}`;
}
