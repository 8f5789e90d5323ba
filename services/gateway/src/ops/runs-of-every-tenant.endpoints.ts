import { RunId } from '@tidegate/contracts/ids';
import { CreateRunBody } from '@tidegate/contracts/requests';
import { DiscrepancyClass, DiscrepancyState, DiscrepancyView, listOf, RunTrigger, RunView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging } from '../http/list-query.js';

const PATH = '/v1/ops/reconciliation/runs';

export const createRunOfEveryTenant = defineEndpoint({
  id: 'createRunOfEveryTenant',
  method: 'POST',
  path: PATH,
  tag: 'Operations',
  summary: 'Compare a range of dates of every tenant with Stripe',
  description: 'What the daily run does, asked for: after a restore, or by a CronJob.',
  scope: 'ops',
  rpc: RPC.operatorRunCreate,
  params: {},
  body: CreateRunBody,
  idempotencyKey: 'optional',
  answers: { 201: { description: 'The run, started', schema: RunView } },
  problems: [],
});

export const getRunOfEveryTenant = defineEndpoint({
  id: 'getRunOfEveryTenant',
  method: 'GET',
  path: `${PATH}/{id}`,
  tag: 'Operations',
  summary: 'See a run of every tenant, with what it found of all',
  scope: 'ops',
  rpc: RPC.operatorRunGet,
  params: { id: RunId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The run', schema: RunView } },
  problems: [],
});

export const listRunsOfEveryTenant = defineEndpoint({
  id: 'listRunsOfEveryTenant',
  method: 'GET',
  path: PATH,
  tag: 'Operations',
  summary: 'List runs of every tenant with what they found of all, newest first',
  scope: 'ops',
  rpc: RPC.operatorRunList,
  params: {},
  query: z.strictObject({ status: RunView.shape.status.optional(), trigger: RunTrigger.optional(), ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of runs', schema: listOf(RunView) } },
  problems: [],
});

export const listDiscrepanciesOfEveryTenant = defineEndpoint({
  id: 'listDiscrepanciesOfEveryTenant',
  method: 'GET',
  path: `${PATH}/{id}/discrepancies`,
  tag: 'Operations',
  summary: 'See what a run of every tenant found',
  scope: 'ops',
  rpc: RPC.operatorRunDiscrepancies,
  params: { id: RunId },
  query: z.strictObject({ class: DiscrepancyClass.optional(), state: DiscrepancyState.optional(), ...paging }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of discrepancies', schema: listOf(DiscrepancyView) } },
  problems: [],
});
