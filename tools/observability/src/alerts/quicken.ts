import { stringify } from 'yaml';
import { type RuleFile } from './rules.js';

/** What takes a minute in production takes a second in a drill. */
const FASTER = 60;
const SHORTEST_WINDOW_SECONDS = 4;
const LONGEST_FOR_SECONDS = 2;

/** Replaces a part of an alert's expression, a threshold, which nobody can wait for. */
export type Changes = Readonly<Record<string, readonly [from: string, to: string]>>;

/**
 * The same rules for a drill: windows are sixty times shorter (4 s at least), and what must last is 2 s at most. Thresholds stay, but for the changes. Throws an
 * Error for a change that changes nothing.
 */
export function quickened(files: readonly RuleFile[], changes: Changes = {}): string {
  const unused = new Set(Object.keys(changes));
  const groups = files.flatMap(({ groups: all }) =>
    all.map(({ name, rules }) => ({
      name,
      interval: '1s',
      rules: rules.map((rule) => {
        const change = changes[rule.alert];
        if (change !== undefined && rule.expr.includes(change[0])) unused.delete(rule.alert);
        const expr = shorter(change === undefined ? rule.expr : rule.expr.replace(...change));
        return {
          ...rule,
          expr,
          ...(rule.for === undefined ? {} : { for: `${Math.min(LONGEST_FOR_SECONDS, secondsOf(rule.for) / FASTER)}s` }),
        };
      }),
    })),
  );
  if (unused.size > 0) throw new Error(`Bug: nothing to change in ${[...unused].join(', ')}`);
  return stringify({ groups: groups.map(({ rules, ...group }) => ({ ...group, rules: rules.map(whole) })) });
}

/** Durations of Prometheus are whole. */
const whole = <T extends { for?: string }>(rule: T): T =>
  rule.for === undefined ? rule : { ...rule, for: `${Math.ceil(parseFloat(rule.for))}s` };

function shorter(expr: string): string {
  return expr.replaceAll(/\[(\w+)(?::(\w+))?\]/g, (_, window: string, step?: string) => {
    const seconds = Math.max(SHORTEST_WINDOW_SECONDS, Math.round(secondsOf(window) / FASTER));
    return step === undefined ? `[${seconds}s]` : `[${seconds}s:${Math.max(1, Math.round(secondsOf(step) / FASTER))}s]`;
  });
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a duration as the rules have them, such as `5m`. */
export function secondsOf(duration: string): number {
  const [, figure, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  if (figure === undefined || unit === undefined) throw new Error(`${duration} is no duration of one unit`);
  return Number(figure) * UNITS[unit]!;
}
