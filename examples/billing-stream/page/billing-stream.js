/* global EventSource */

/**
 * Follows Tidegate's billing stream in a browser and never misses an event. EventSource comes back by itself while its token is good; when it gives up (the token
 * has ended, the gateway was restarted) we get a new token and go on behind the last id.
 *
 * `getToken()` asks our own server and resolves to `{ url, lastEventId }`. Calls back `begin()` before the first event and after each `reset`, when the state
 * must be read anew; `event(type, contract, id)` for each event, once and in order; `status('connecting' | 'live' | 'waiting')`.
 */
export function followBillingStream({ getToken, begin, event, status, types }) {
  let lastEventId = null;
  let pause = 500;
  let stopped = false;
  let source;

  async function connect() {
    status('connecting');
    try {
      const token = await getToken();
      if (lastEventId === null) {
        lastEventId = token.lastEventId;
        begin();
      }
      open(`${token.url}&last_event_id=${encodeURIComponent(lastEventId)}`);
    } catch {
      again();
    }
  }

  function open(url) {
    if (stopped) return;
    source = new EventSource(`${url}&heartbeats=event`);
    source.onopen = () => {
      pause = 500;
      status('live');
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) again();
      else status('connecting');
    };
    for (const type of types) {
      source.addEventListener(type, (message) => {
        lastEventId = message.lastEventId;
        event(type, JSON.parse(message.data), message.lastEventId);
      });
    }
    // Nothing happened for us, much perhaps for others: without this we would come back from ever further behind.
    source.addEventListener('here', (message) => {
      lastEventId = message.lastEventId;
    });
    source.addEventListener('reset', (message) => {
      lastEventId = message.lastEventId;
      begin();
    });
  }

  function again() {
    if (stopped) return;
    status('waiting');
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, 30_000);
  }

  void connect();
  return () => {
    stopped = true;
    source?.close();
  };
}
