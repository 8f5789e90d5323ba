import { licences } from './licences.js';

// Prints docs/generated/licences.md.
const rows = licences().map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
process.stdout.write(
  [
    '# Licences of what the product contains',
    '',
    'Generated from package-lock.json: everything that is not for development alone. `services/*/bundle/main.js.LEGAL.txt` has the notices of what went into a service.',
    '',
    '| Package | Version | Licence |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n'),
);
