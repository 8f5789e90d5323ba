import { describe, expect, it } from '@jest/globals';
import type { DiscrepancyView } from '@tidegate/contracts/responses';
import { CSV_HEADER, csvOf } from './discrepancy-csv.js';

const row: DiscrepancyView = {
  class: 'missing_local',
  object: 'payment',
  state: 'new',
  payment_id: null,
  stripe_id: 'pi_1',
  local_id: null,
  local: null,
  remote: 'succeeded 4200 usd',
  first_seen: '2026-11-21T06:00:00.000Z',
  age_seconds: 5,
  proposed_repair: 'adopt',
  applied: false,
  reason: 'report only',
};

describe('Discrepancies as CSV', () => {
  it('have the header that others rely on', () => {
    expect(CSV_HEADER).toBe('class,object,payment_id,stripe_id,local,remote,first_seen,age_seconds,proposed_repair,applied,reason\r\n');
  });

  it('are one line each, empty where a side has nothing', () => {
    expect(csvOf([row])).toBe('missing_local,payment,,pi_1,,succeeded 4200 usd,2026-11-21T06:00:00.000Z,5,adopt,false,report only\r\n');
  });

  it.each(['=HYPERLINK("http://x")', '+1', '-1+2', '@SUM(A1)', '\tx', '\r=x', '\uff1d1', '\uff0b1', '\uff0d1', '\uff20A1'])(
    'never begin a cell as a formula does: %j',
    (text) => {
      const cells = csvOf([{ ...row, reason: text }])
        .split('report')
        .at(-1)!;
      expect(cells).toContain(`'${text.replaceAll('"', '""')}`);
      expect(csvOf([{ ...row, stripe_id: text }])).not.toMatch(/,"?[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/);
    },
  );

  it('quote what would break a line', () => {
    expect(csvOf([{ ...row, reason: 'said "no", twice\nand more' }])).toContain(',"said ""no"", twice\nand more"\r\n');
  });
});
