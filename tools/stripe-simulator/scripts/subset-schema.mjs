// Cuts the operations and objects named in data/implemented.json out of a full API schema file and writes data/schema.json.
// Usage: node scripts/subset-schema.mjs <full schema file>   (format: data/README.md)
import { readFileSync, writeFileSync } from 'node:fs';

const data = new URL('../data/', import.meta.url);
const full = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const wanted = JSON.parse(readFileSync(new URL('implemented.json', data), 'utf8'));
const lines = (entries) => entries.map((entry) => `    ${entry}`).join(',\n');

const operations = wanted.operations.map((name) => {
  const [method, path] = name.split(' ');
  const found = full.operations.find((operation) => operation.method === method && operation.path === path);
  if (!found) throw new Error(`No operation ${name} in the schema`);
  return `${JSON.stringify(name)}: ${JSON.stringify(found.params)}`;
});
const unsupported = full.operations.map(({ method, path }) => `${method} ${path}`).filter((name) => !wanted.operations.includes(name));
const objects = wanted.objects.map((name) => {
  if (!full.objects[name]) throw new Error(`No object ${name} in the schema`);
  return `${JSON.stringify(name)}: ${JSON.stringify(full.objects[name].fields)}`;
});
const { package: npm, version, api_version, repository, licence } = full.source;
writeFileSync(
  new URL('schema.json', data),
  `{
  "source": ${JSON.stringify({ npm, version, api_version, repository, licence })},
  "event_types": ${JSON.stringify(Object.keys(full.events))},
  "thin_event_types": ${JSON.stringify(full.thin_event_types)},
  "unsupported_operations": ${JSON.stringify(unsupported)},
  "operations": {
${lines(operations)}
  },
  "objects": {
${lines(objects)}
  }
}
`,
);
