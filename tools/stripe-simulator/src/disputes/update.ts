import { type Call } from '../http/call.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { type Dispute, isInquiry } from './dispute.js';
import { hasEvidence, mergeEvidence } from './evidence.js';
import { disputeById, mustAllow } from './find.js';
import { planVerdict } from './later.js';

/**
 * `POST /v1/disputes/{id}`: metadata at any time; evidence while the bank waits for it. Evidence is submitted with it unless
 * `submit=false` only stages it (https://docs.stripe.com/api/disputes/update).
 */
export function updateDispute(world: World, { id, params, cause }: Call): Dispute {
  const before = disputeById(world, id);
  const given = params['evidence'] as Dispute['evidence'] | null | undefined;
  const submit = (params['submit'] as boolean | undefined) ?? given !== undefined;
  if (submit) mustAllow('submit_evidence', before);
  else if (given !== undefined) mustAllow('stage_evidence', before);
  const evidence = mergeEvidence(before.evidence, given ?? undefined);
  const changed: Dispute = {
    ...before,
    evidence,
    evidence_details: { ...before.evidence_details, has_evidence: hasEvidence(evidence), ...(submit && submitted(before)) },
    intended_submission_method: (params['intended_submission_method'] as string | undefined) ?? before.intended_submission_method,
    metadata: mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined),
  };
  if (!submit) return applyOutcome(world, 'changed', changed, cause);
  const after = applyOutcome(world, isInquiry(before) ? 'inquiry_submitted' : 'submitted', changed, cause);
  planVerdict(world, after);
  return after;
}

function submitted({ evidence_details: details }: Dispute): Partial<Dispute['evidence_details']> {
  return { submission_count: details.submission_count + 1, submission_method: 'manual' };
}
