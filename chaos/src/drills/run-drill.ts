import { DRILLS, type DrillEntry, type DrillName } from '@tidegate/observability/drills/catalogue';
import { type DrillResult } from '@tidegate/observability/drills/table';
import { runbookPages } from '@tidegate/observability/runbooks/page';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Drill } from './drill.js';
import { runSection } from './run-page.js';
import { type Stage, type Told } from './stage.js';

const ALERT_MS = 120_000;
const HEALED_MS = 120_000;

/**
 * One drill on a stage that was opened for it: nothing but the watchdog fires; the fault; its alerts reach Alertmanager, with all words filled in; the page is
 * followed; what the drill looks at besides is as it should be; in the end nothing but the watchdog fires again. Throws an Error that says which of these did not come true.
 */
export async function runDrill(name: DrillName, drill: Drill, stage: Stage, say: (line: string) => void): Promise<DrillResult> {
  const entry: DrillEntry = DRILLS[name];
  const page = runbookPages().find((one) => one.name === entry.page);
  if (page === undefined) throw new Error(`There is no page ${entry.page}`);
  await onlyWatchdog(stage);
  say(`  ${entry.fault} …`);
  const injected = performance.now();
  await drill.inject(stage);
  const first = await eventually(() => reached(stage, entry.alerts[0]), { timeoutMs: ALERT_MS, everyMs: 250 });
  const alerted = performance.now();
  say(`  ${entry.alerts[0]} at Alertmanager: ${first.annotations['summary']}`);
  for (const alert of entry.alerts.slice(1)) await eventually(() => reached(stage, alert), { timeoutMs: ALERT_MS, everyMs: 250 });
  const following = { stage, page, drill, say };
  await runSection(following, 'Diagnosis');
  await drill.heal?.(stage);
  await runSection(following, 'Mitigation');
  await runSection(following, 'Verification');
  await drill.after?.(stage);
  await onlyWatchdog(stage);
  const seconds = (from: number, to: number) => Math.round((to - from) / 1000);
  return {
    on: new Date().toISOString().slice(0, 10),
    result: 'passed',
    alert_seconds: seconds(injected, alerted),
    healed_seconds: seconds(alerted, performance.now()),
  };
}

async function reached(stage: Stage, alert: string): Promise<Told> {
  const told = await stage.told();
  const found = told.find(({ labels }) => labels['alertname'] === alert);
  if (found === undefined)
    throw new Error(`${alert} has not fired; there are ${JSON.stringify(told.map(({ labels }) => labels['alertname']))}`);
  const words = Object.values(found.annotations).join('\n');
  if (/<no value>|<error|%!/.test(words)) throw new Error(`${alert} says: ${words}`);
  return found;
}

/**
 * Alertmanager forgets what Prometheus says is over; the watchdog proves that anything gets there at all. What is spent of an error budget (alerts with a
 * `window`) stays spent for days, and does not count.
 */
async function onlyWatchdog(stage: Stage): Promise<void> {
  await eventually(
    async () => {
      const names = [
        ...new Set((await stage.told()).filter(({ labels }) => labels['window'] === undefined).map(({ labels }) => labels['alertname'])),
      ];
      if (names.length !== 1 || names[0] !== 'Watchdog') throw new Error(`Alertmanager has ${JSON.stringify(names)}`);
    },
    { timeoutMs: HEALED_MS, everyMs: 250 },
  );
}
