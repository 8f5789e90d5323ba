import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { cacheFolder } from '../cache-folder.js';
import { goModule } from './go-program.js';

const KUBERNETES = 'v1.36.3';
const PROMETHEUS_OPERATOR = 'v0.85.0';

type Schema = { [key: string]: unknown };
interface Kind {
  group: string;
  version: string;
  kind: string;
}

/**
 * Folder with a JSON schema per kind, named as kubeconform asks for them by `{{.ResourceKind}}{{.KindSuffix}}.json`: Kubernetes' own from its OpenAPI document, those
 * of the Prometheus operator from its definitions. Fields that no schema knows are faults.
 */
export async function kubernetesSchemas(): Promise<string> {
  const folder = join(cacheFolder(), `kubernetes-schemas-${KUBERNETES}-${PROMETHEUS_OPERATOR}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  await writeKubernetes(unfinished);
  await writePrometheusOperator(unfinished);
  if (!existsSync(folder)) renameSync(unfinished, folder);
  return folder;
}

async function writeKubernetes(folder: string): Promise<void> {
  const sources = await goModule('k8s.io/kubernetes', KUBERNETES);
  const { definitions } = JSON.parse(readFileSync(join(sources, 'api', 'openapi-spec', 'swagger.json'), 'utf8')) as {
    definitions: Record<string, Schema>;
  };
  const strict = Object.fromEntries(Object.entries(definitions).map(([name, schema]) => [name, strictly(name, schema)]));
  for (const [name, schema] of Object.entries(definitions))
    for (const kind of (schema['x-kubernetes-group-version-kind'] as Kind[] | undefined) ?? [])
      writeFileSync(join(folder, fileOf(kind)), JSON.stringify({ $ref: `#/definitions/${name}`, definitions: reachable(strict, name) }));
}

async function writePrometheusOperator(folder: string): Promise<void> {
  const sources = await goModule('github.com/prometheus-operator/prometheus-operator', PROMETHEUS_OPERATOR);
  const definitions = join(sources, 'example', 'prometheus-operator-crd');
  for (const file of readdirSync(definitions)) {
    const { spec } = parse(readFileSync(join(definitions, file), 'utf8')) as {
      spec: { group: string; names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] };
    };
    for (const { name, schema } of spec.versions)
      writeFileSync(
        join(folder, fileOf({ group: spec.group, version: name, kind: spec.names.kind })),
        JSON.stringify(strictly('', schema.openAPIV3Schema, 'metadata')),
      );
  }
}

function fileOf({ group, version, kind }: Kind): string {
  const short = group.split('.')[0] ?? '';
  return `${kind.toLowerCase()}${short === '' ? '' : `-${short}`}-${version.toLowerCase()}.json`;
}

/** Objects with known fields take no others, but under `open`; what may be a number or a text may be both. */
function strictly(name: string, schema: Schema, open?: string): Schema {
  if (/(IntOrString|resource\.Quantity)$/.test(name) || schema['x-kubernetes-int-or-string'] === true)
    return { type: ['string', 'number'] };
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties')
        return [
          key,
          Object.fromEntries(
            Object.entries(value as Record<string, Schema>).map(([field, one]) => [field, field === open ? {} : strictly('', one)]),
          ),
        ];
      return [
        key,
        key === 'items' || (key === 'additionalProperties' && typeof value === 'object') ? strictly('', value as Schema) : value,
      ];
    }),
  );
  const known = 'properties' in schema && !('additionalProperties' in schema) && schema['x-kubernetes-preserve-unknown-fields'] !== true;
  return known ? { ...inner, additionalProperties: false } : inner;
}

/** The definitions that one refers to, itself included. */
function reachable(definitions: Record<string, Schema>, from: string): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  const waiting = [from];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const schema = definitions[name];
    if (schema === undefined || found[name]) continue;
    found[name] = schema;
    for (const [, next = ''] of JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g)) waiting.push(next);
  }
  return found;
}
