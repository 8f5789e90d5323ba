import type { z } from 'zod';
import { settingDoc } from './settings.js';

export interface ServiceSettings {
  service: string;
  schema: z.ZodObject;
}

interface Row {
  name: string;
  services: string[];
  fallback: string;
  unit: string;
  doc: string;
}

/** The configuration reference as Markdown: each setting once, with the services that read it. Defaults that differ are listed. */
export function settingsReference(all: readonly ServiceSettings[]): string {
  const rows = new Map<string, Row>();
  for (const { service, schema } of all) {
    for (const [name, setting] of Object.entries(schema.shape) as [string, z.ZodType][]) {
      const fallback = defaultOf(setting);
      const row = rows.get(name) ?? { name, services: [], fallback: '', unit: settingDoc(setting)?.unit ?? '', doc: docOf(setting) };
      row.services.push(service);
      row.fallback =
        row.services.length === 1 || row.fallback === fallback ? fallback : row.fallback === '' ? fallback : `${row.fallback}, ${fallback}`;
      rows.set(name, row);
    }
  }
  const everywhere = all.length;
  const lines = [...rows.values()].map(
    ({ name, services, fallback, unit, doc }) =>
      `| \`${name}\` | ${services.length === everywhere ? 'all' : services.join(', ')} | ${fallback} | ${unit} | ${doc} |`,
  );
  return [
    '# Settings',
    '',
    'Generated from the code. Settings are environment variables. An empty one counts as absent. Any of them may be given as `NAME_FILE`, the path of a file that',
    'holds the value; a secret is followed there: what changes is in use within seconds, passwords from the next connection on, without a restart. A service refuses',
    'to start when a setting is wrong, and names every fault at once.',
    '',
    '| Setting | Read by | Default | Unit | Meaning |',
    '|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

function defaultOf(setting: z.ZodType): string {
  const parsed = setting.safeParse(undefined);
  if (!parsed.success) return '**required**';
  if (parsed.data === undefined) return 'none';
  const text = asSet(parsed.data);
  return text === '' ? 'none' : `\`${text}\``;
}

/** As it would be written in the environment. */
function asSet(value: unknown): string {
  if (value instanceof Map) return [...value].map((pair) => pair.join('=')).join(',');
  return Array.isArray(value) ? value.join(',') : String(value);
}

function docOf(setting: z.ZodType): string {
  const doc = settingDoc(setting);
  const text = (doc?.doc ?? setting.description ?? '').replaceAll('|', '\\|');
  return doc?.secret ? `${text} Secret.` : text;
}
