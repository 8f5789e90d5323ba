import { drillResults, drillTable } from './table.js';

// Prints docs/generated/drills.md.
process.stdout.write(drillTable(drillResults()));
