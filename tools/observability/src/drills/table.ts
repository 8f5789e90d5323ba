import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { DRILLS, type DrillEntry, WITHOUT_DRILL } from './catalogue.js';

/** How a drill went last: kept in the repository, written by `npm run drill`. */
export interface DrillResult {
  /** Day, UTC. */
  on: string;
  result: 'passed' | 'failed';
  /** From the fault to the alert at Alertmanager. */
  alert_seconds: number;
  /** From the first block of the page to the moment when no other alert was left. */
  healed_seconds: number;
}

export const resultsFile = (): string => join(repositoryRoot(), 'deploy', 'observability', 'drill-results.json');

export const drillResults = (): Record<string, DrillResult> =>
  existsSync(resultsFile()) ? (JSON.parse(readFileSync(resultsFile(), 'utf8')) as Record<string, DrillResult>) : {};

/** Which alerts fire in a drill, and why the others have none. */
export function readDrillTable(): { drilled: string[]; reasons: Readonly<Record<string, string>> } {
  return { drilled: Object.values<DrillEntry>(DRILLS).flatMap(alertsOf), reasons: WITHOUT_DRILL };
}

const alertsOf = ({ alerts, later = [] }: DrillEntry): string[] => [...alerts, ...later];

/** docs/generated/drills.md. */
export function drillTable(results: Readonly<Record<string, DrillResult>>): string {
  const rows = Object.entries<DrillEntry>(DRILLS).map(([name, entry]) => {
    const { fault, page } = entry;
    const last = results[name];
    const words =
      last === undefined
        ? 'not run yet'
        : `${last.result} on ${last.on}; alert after ${last.alert_seconds} s, healed after ${last.healed_seconds} s`;
    return `| \`${name}\` | ${fault} | ${alertsOf(entry).join(', ')} | [${page}](../runbooks/${page}.md) | ${words} |`;
  });
  const without = Object.entries(WITHOUT_DRILL).map(([alert, why]) => `| ${alert} | ${why} |`);
  return [
    '# Drills',
    '',
    'Generated. `npm run drill -- NAME|all` breaks a whole Tidegate on this machine, waits for the alert at a real Alertmanager, runs the blocks of the page, and',
    'waits until nothing but the watchdog fires. Times of the rules are shortened sixtyfold.',
    '',
    '| Drill | Fault | Alerts | Page | Last result |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Alerts without a drill',
    '',
    '| Alert | Why |',
    '|---|---|',
    ...without,
    '',
  ].join('\n');
}
