import { readFileSync } from 'node:fs';
import { type Fields } from './node.js';

interface ApiSchema {
  readonly source: { readonly api_version: string };
  readonly event_types: readonly string[];
  readonly thin_event_types: readonly string[];
  readonly unsupported_operations: readonly string[];
  readonly operations: Readonly<Record<string, Fields>>;
  readonly objects: Readonly<Record<string, Fields>>;
}

/** The shipped part of Stripe's API description: parameters of the supported operations, fields of the supported objects. */
export const schema = JSON.parse(readFileSync(new URL('../../data/schema.json', import.meta.url), 'utf8')) as ApiSchema;

/** The API version that the shapes follow. */
export const API_VERSION = schema.source.api_version;
