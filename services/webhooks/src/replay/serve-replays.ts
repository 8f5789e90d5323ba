import { RPC } from '@tidegate/contracts/rpc/routes';
import type { Broker } from '@tidegate/messaging/connection';
import { type RpcServer, serveRpc } from '@tidegate/messaging/rpc';
import type { OrderParts } from './order.flow.js';
import {
  answerOperatorReplay,
  answerOperatorReplayGet,
  answerReplay,
  answerReplayGet,
  answerReplayList,
  answerReplayResume,
  answerReplayStop,
} from './replay.rpc.js';

const ANSWERS = [
  [RPC.webhookEventReplay, answerReplay],
  [RPC.webhookReplayGet, answerReplayGet],
  [RPC.operatorEventReplay, answerOperatorReplay],
  [RPC.operatorReplayList, answerReplayList],
  [RPC.operatorReplayGet, answerOperatorReplayGet],
  [RPC.operatorReplayStop, answerReplayStop],
  [RPC.operatorReplayResume, answerReplayResume],
] as const;

/** What is answered about replays, to be started with the other subjects of the service. */
export const serveReplays = (broker: Broker, parts: OrderParts): (() => RpcServer)[] =>
  ANSWERS.map(
    ([subject, answer]) =>
      () =>
        serveRpc(broker, subject, 'webhooks', (request) => answer(parts, request)),
  );
