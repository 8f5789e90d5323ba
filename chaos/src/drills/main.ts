import { writeFileSync } from 'node:fs';
import { DRILLS, type DrillName } from '@tidegate/observability/drills/catalogue';
import { drillResults, type DrillResult, resultsFile } from '@tidegate/observability/drills/table';
import { drills } from './drills.js';
import { runDrill } from './run-drill.js';
import { openStage } from './stage.js';

const names = Object.keys(DRILLS) as DrillName[];
const [wanted = ''] = process.argv.slice(2);
const chosen = wanted === 'all' ? names : names.filter((name) => name === wanted);
if (chosen.length === 0) {
  console.error(`Usage: npm run drill -- all|NAME, one of ${names.join(', ')}`);
  process.exit(1);
}

const say = (line: string) => console.log(line);
const results = drillResults();
for (const name of chosen) {
  say(`… ${name}`);
  results[name] = await drilled(name).catch((error: unknown): DrillResult => {
    console.error(`✗ ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    return { on: new Date().toISOString().slice(0, 10), result: 'failed', alert_seconds: 0, healed_seconds: 0 };
  });
  if (results[name].result === 'passed')
    say(`✓ ${name}: alert after ${results[name].alert_seconds} s, healed after ${results[name].healed_seconds} s`);
  const sorted = Object.fromEntries(names.flatMap((one) => (results[one] === undefined ? [] : [[one, results[one]]])));
  writeFileSync(resultsFile(), `${JSON.stringify(sorted, null, 2)}\n`);
}

async function drilled(name: DrillName): Promise<DrillResult> {
  const stage = await openStage({ ...drills[name], withAlertmanager: true });
  try {
    return await runDrill(name, drills[name], stage, say);
  } finally {
    await stage.close();
  }
}
