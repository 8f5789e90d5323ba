import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';

/** What the gateway answers itself: its own tables, and questions that go to every service at once. */
export const HERE = {
  tenantCreate: 'here.tenant.create',
  tenantBrand: 'here.tenant.brand',
  tenantList: 'here.tenant.list',
  apiKeyCreate: 'here.api_key.create',
  apiKeyList: 'here.api_key.list',
  apiKeyRotate: 'here.api_key.rotate',
  apiKeyRevoke: 'here.api_key.revoke',
  outboxStatus: 'here.outbox.status',
  secretFingerprints: 'here.secret.fingerprints',
  streamTokenCreate: 'here.stream_token.create',
  holdGet: 'here.hold.get',
  holdPlace: 'here.hold.place',
  holdRelease: 'here.hold.release',
} as const;
/** What is no question with one answer: it has a controller of its own. */
export const BILLING_STREAM = 'here.billing_stream.follow';
export type HereOperation = (typeof HERE)[keyof typeof HERE] | typeof BILLING_STREAM;

/** Handlers by operation; each answers as the owner of a subject would. */
export type Here = Partial<Record<HereOperation, (request: RouteRequest) => Promise<HttpReply>>>;

export const isHere = (subject: string): subject is HereOperation => subject.startsWith('here.');
