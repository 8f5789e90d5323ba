import { DASHBOARDS } from './dashboards.js';
import { grafanaJson } from './panel.js';

// Prints one dashboard, by its uid, as it stands in deploy/observability/dashboards.
const [uid] = process.argv.slice(2);
const dashboard = DASHBOARDS.find((one) => one.uid === uid);
if (dashboard === undefined) throw new Error(`There is no dashboard ${uid}`);
process.stdout.write(`${JSON.stringify(grafanaJson(dashboard), null, 2)}\n`);
