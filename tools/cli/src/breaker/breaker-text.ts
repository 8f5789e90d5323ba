import type { BreakerView } from '@tidegate/contracts/responses';
import { table } from '../output/table.js';
import { at } from '../output/time.js';

/** Breakers as an operator reads them. */
export const breakersText = (breakers: readonly BreakerView[]): string =>
  table(
    ['BREAKER', 'STATE', 'SINCE', 'FAILED', 'CALLS', 'LAST FAILURE', 'NEXT TRY', 'OPENS AT', 'WINDOW', 'RECOVERY'],
    breakers.map((one) => [
      ...[one.name, one.state, at(one.since), one.failures, one.calls, at(one.last_failure_at), at(one.retry_at)],
      ...[`${one.threshold} and ${one.ratio * 100} %`, `${one.window_seconds} s`, `${one.recovery_seconds} s`],
    ]),
  ) +
  breakers
    .flatMap((one) =>
      one.held_operations.map(
        (held) => `${one.name}: ${held.operation} is held${held.until ? ` until ${at(held.until)}` : ''}: ${held.reason}\n`,
      ),
    )
    .join('');
