import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import type { Answer, Call, Client } from './client.js';
import type { Random } from './seed.js';

/** Where stories are told: our API, and the page and the dashboard that Stripe shows to people. */
export type Stage = Pick<Arena, 'client' | 'dashboard'>;

/** One step's answer that no user of the API should ever see; kept with what was asked. */
export interface Surprise {
  call: string;
  status: number;
  body: string;
}

/** A request with the certain answer that it was given. */
export interface Answered {
  call: Call;
  answer: Answer;
}

export interface StoryLog {
  /** Ids of payments that clients were told of. */
  created: string[];
  surprises: Surprise[];
  answered: Answered[];
}

export const emptyLog = (): StoryLog => ({ created: [], surprises: [], answered: [] });

/** What a story is told with; its chance is its own, so that its course does not depend on those beside it. */
export interface Telling {
  stage: Stage;
  random: Random;
  log: StoryLog;
  /** How likely a step is sent twice at once, as by a client that lost patience. */
  twice: number;
}

/** 422 is an honest answer while an earlier step's outcome is still unknown; what a client must never see is any other 4xx or 5xx. */
const EXPECTED = new Set([200, 201, 202, 422]);
const STILL_TRYING = new Set([0, 409, 429, 503]);

/** One request under a key of its own, kept over retries; now and then the same twice at once, which go to different gateways. Null when nothing certain came. */
export async function step({ stage: { client }, random, log, twice }: Telling, call: Call): Promise<Answer | null> {
  const keyed: Call = { ...call, key: randomUUID() };
  const sent = [client.send(keyed)];
  if (random.chance(twice)) sent.push(pause(random.below(40)).then(() => client.send(keyed)));
  const [answer, other] = (await Promise.all(sent)) as [Answer, Answer | undefined];
  for (const one of other ? [answer, other] : [answer])
    if (!EXPECTED.has(one.status) && !STILL_TRYING.has(one.status))
      log.surprises.push({ call: `${call.method} ${call.path}`, status: one.status, body: one.body });
  if (isCertain(answer)) log.answered.push({ call: keyed, answer });
  if (other && isCertain(other)) log.answered.push({ call: keyed, answer: other });
  return EXPECTED.has(answer.status) ? answer : null;
}

/** Whether a repetition must get the very same bytes: the outcome is known. What was refused without being begun has no outcome. */
export function isCertain({ status, body }: Answer): boolean {
  if (status !== 200 && status !== 201) return false;
  return !UNCERTAIN.has((JSON.parse(body) as { status: string }).status);
}

const UNCERTAIN = new Set(['unknown', 'queued', 'erasing']);

/** Where a request was answered in other bytes than before although its outcome was certain: promise P6. Asks again for each of `answered`. */
export async function otherBytes(client: Client, answered: readonly Answered[]): Promise<string[]> {
  const wrong: string[] = [];
  const queue = [...answered];
  const ask = async (): Promise<void> => {
    for (let one = queue.pop(); one; one = queue.pop()) wrong.push(...differences(one, await client.send(one.call)));
  };
  await Promise.all(Array.from({ length: 8 }, ask));
  return wrong;
}

/** What differs between the answer that was given and one given later. */
export function differences({ call, answer }: Answered, again: Answer): string[] {
  if (again.status === answer.status && again.body === answer.body) return [];
  return [
    `${call.method} ${call.path} (${call.key}) was answered ${answer.status} ${answer.body}, and later ${again.status} ${again.body}`,
  ];
}
