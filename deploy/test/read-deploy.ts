import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export const ROOT = join(import.meta.dirname, '..', '..');
export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export interface Manifest {
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- read as it stands in the file
  spec: any;
}

/** The manifests of a file, in order. */
export function manifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((one) => one !== null);
}

export interface ComposeService {
  image?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  profiles?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  command?: string[];
  volumes?: string[];
  healthcheck?: { test?: string[] };
}

export const compose = (): { services: Record<string, ComposeService>; secrets: Record<string, { file: string }> } =>
  parse(textOf('deploy/compose/compose.yaml'), { merge: true });

/** Names of all settings and the services that read them, as the generated reference has them. */
export function settings(): Map<string, string> {
  const rows = [...textOf('docs/generated/configuration.md').matchAll(/^\| `([A-Z_0-9]+)` \| ([^|]+) \|/gm)];
  return new Map(rows.map(([, name = '', readBy = '']) => [name, readBy.trim()]));
}

/** Whether a service reads a setting; `NAME_FILE` is the same as `NAME`. */
export function reads(service: string, name: string): boolean {
  const known = settings();
  const readBy = known.get(name) ?? known.get(name.replace(/_FILE$/, '')) ?? '';
  return readBy === 'all' || readBy.split(', ').includes(service);
}
