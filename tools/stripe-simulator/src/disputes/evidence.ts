import { noSuch } from '../http/errors.js';
import { shownAs } from '../schema/complete.js';
import { schema } from '../schema/schema.js';
import { type Dispute } from './dispute.js';

type Evidence = Dispute['evidence'];

const FIELDS = Object.entries(schema.objects['dispute']?.['evidence']?.fields ?? {});
const FILES = FIELDS.filter(([, node]) => node.t === 'expandable').map(([name]) => name);

/** Every text and file of a dispute's evidence, empty. */
export const NO_EVIDENCE: Evidence = {
  ...Object.fromEntries(FIELDS.filter(([, node]) => node.null && !node.opt).map(([name]) => [name, null])),
  enhanced_evidence: {},
};

/** New texts replace the ones of the same name; null removes one. Files can't be uploaded here, so none of them exists. */
export function mergeEvidence(before: Evidence, change: Evidence | undefined): Evidence {
  const file = FILES.find((name) => typeof change?.[name] === 'string');
  if (file !== undefined) throw noSuch('file upload', String(change?.[file]), `evidence[${file}]`);
  const merged = { ...before, ...change, enhanced_evidence: change?.['enhanced_evidence'] ?? before['enhanced_evidence'] };
  if (change?.['enhanced_evidence'] === null) merged.enhanced_evidence = {};
  return shownAs('dispute', 'evidence', merged) as Evidence;
}

export function hasEvidence(evidence: Evidence): boolean {
  return Object.values(evidence).some((value) => typeof value === 'string' && value !== '');
}
