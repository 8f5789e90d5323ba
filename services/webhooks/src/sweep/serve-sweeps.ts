import { RPC } from '@tidegate/contracts/rpc/routes';
import type { Broker } from '@tidegate/messaging/connection';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import { answerSweepGet, answerSweepOrder, answerSweepStatus, type SweepRpcParts } from './sweep.rpc.js';

/** What is answered about sweeps, to be started with the other subjects of the service. */
export const serveSweeps = (broker: Broker, parts: SweepRpcParts): (() => RpcServer)[] => [
  () => serveRpc(broker, RPC.operatorSweepStatus, 'webhooks', () => answerSweepStatus(parts)),
  () => serveRpc(broker, RPC.operatorSweepGet, 'webhooks', (request) => answerSweepGet(parts, request)),
  () => serveRpc(broker, RPC.operatorSweepOrder, 'webhooks', (request) => answerSweepOrder(parts, request)),
];
