import type { Envelope } from '@tidegate/contracts/envelope';
import type { ReceiptIssued } from '@tidegate/contracts/events/receipt';

/** A receipt as its message told it; `envelope` is that of the message. */
export interface FoundReceipt {
  envelope: Envelope;
  issued: ReceiptIssued;
}

export interface Counter {
  tenant: string;
  series: string;
  year: number;
  /** The last number given. */
  last: number;
}

export interface Recovery {
  /** To be appended again, in the order of their numbers, and credit notes behind the receipts that they are of. */
  append: FoundReceipt[];
  /** Numbers that were given, or must be taken for given, and whose receipt nobody has. */
  lost: (Omit<Counter, 'last'> & { sequence: number })[];
  /** Where the counters go on. */
  counters: Counter[];
}

export const counterName = ({ tenant, series, year }: Omit<Counter, 'last'>): string => `${tenant}/${series}/${year}`;

/**
 * What a restored database lacks of receipts, from the messages that were published and from what is known otherwise (`upTo`: the highest number given, by counter
 * `tenant/series/year`). A number below the highest that is known is never given again: its receipt is found, or it is lost.
 */
export function recovery(
  found: readonly FoundReceipt[],
  restored: { counters: readonly Counter[]; receiptIds: ReadonlySet<string> },
  upTo: Readonly<Record<string, number>>,
): Recovery {
  const byNumber = new Map<string, Map<number, FoundReceipt>>();
  const counters = new Map(restored.counters.map((counter) => [counterName(counter), counter]));
  for (const receipt of found) {
    const { series, year, sequence } = receipt.issued;
    const name = counterName({ tenant: receipt.envelope.tenant, series, year });
    const last = counters.get(name)?.last ?? 0;
    if (restored.receiptIds.has(receipt.issued.receipt_id) || sequence <= last) continue;
    byNumber.set(name, (byNumber.get(name) ?? new Map<number, FoundReceipt>()).set(sequence, receipt));
  }
  const result: Recovery = { append: [], lost: [], counters: [] };
  for (const name of [...new Set([...byNumber.keys(), ...Object.keys(upTo)])].sort()) {
    const receipts = byNumber.get(name) ?? new Map<number, FoundReceipt>();
    const counter = counters.get(name) ?? emptyCounter(name);
    const highest = Math.max(counter.last, upTo[name] ?? 0, ...receipts.keys());
    for (let sequence = counter.last + 1; sequence <= highest; sequence += 1) {
      const receipt = receipts.get(sequence);
      if (receipt) result.append.push(receipt);
      else result.lost.push({ tenant: counter.tenant, series: counter.series, year: counter.year, sequence });
    }
    if (highest > counter.last) result.counters.push({ ...counter, last: highest });
  }
  result.append.sort((a, b) => Number(a.issued.kind === 'credit_note') - Number(b.issued.kind === 'credit_note'));
  return result;
}

function emptyCounter(name: string): Counter {
  const [tenant = '', series = '', year = ''] = name.split('/');
  return { tenant, series, year: Number(year), last: 0 };
}
