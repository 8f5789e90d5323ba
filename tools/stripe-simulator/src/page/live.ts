import { type ServerResponse } from 'node:http';
import { type World } from '../world.js';
import { pageView } from './view.js';

const LOOK_EVERY_MS = 300;
/** So that an idle stream is not taken for dead. */
const SIGN_OF_LIFE_MS = 15_000;

/** Server-sent events: the whole view at first and whenever it has changed. The clock alone is no change. */
export function streamView(world: World, query: URLSearchParams, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let last = '';
  let saidMs = 0;
  const look = (): void => {
    const view = pageView(world, query.get('kind') ?? '', query.get('q') ?? '') as { clock: { offset_seconds: number } };
    const compared = JSON.stringify({ ...view, clock: view.clock.offset_seconds });
    if (compared !== last) response.write(`data: ${JSON.stringify(view)}\n\n`);
    else if (Date.now() - saidMs > SIGN_OF_LIFE_MS) response.write(': still here\n\n');
    else return;
    last = compared;
    saidMs = Date.now();
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  response.on('close', () => clearInterval(timer));
}
