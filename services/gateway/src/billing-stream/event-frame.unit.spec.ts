import { describe, expect, it } from '@jest/globals';
import { CATALOGUE } from '@tidegate/contracts/catalogue';
import { factOf } from '@tidegate/contracts/subjects';
import { eventOf, heartbeatFrame, helloFrame, resetFrame } from './event-frame.js';
import { parseEventId } from './event-id.js';

const place = { epoch: 3, position: 17 };

describe('An event on the wire', () => {
  it.each(CATALOGUE.filter(({ subject }) => subject.startsWith('payments.')).map((one) => [one.subject, one] as const))(
    'is %s with its id, type and JSON',
    (subject, { example }) => {
      const body = JSON.stringify({ type: factOf(subject), tenant: 'acme', data: example });
      expect(eventOf(place, body)).toEqual({
        position: 17,
        tenant: 'acme',
        frame: Buffer.from(`id: 3:17\nevent: ${factOf(subject)}\ndata: ${body}\n\n`),
      });
    },
  );

  it('is one event, whatever line ends are in its JSON', () => {
    const event = eventOf(place, '{"tenant":"acme",\r\n"type":"payment.created",\r"data":{}\n}');
    expect(event?.frame.toString()).toBe(
      'id: 3:17\nevent: payment.created\ndata: {"tenant":"acme",\ndata: "type":"payment.created",\ndata: "data":{}\ndata: }\n\n',
    );
  });

  it.each(['{', 'null', '[]', '7', '{"tenant":"acme"}', '{"type":"a"}', '{"tenant":"acme","type":"a\\nid: 9:9"}'])(
    'is nothing when it is no contract: %s',
    (body) => {
      expect(eventOf(place, body)).toBeNull();
    },
  );
});

describe('What is no event', () => {
  it('has an id and no data, so that a browser keeps the id and dispatches nothing', () => {
    expect(helloFrame(place, 2000)).toBe('retry: 2000\nid: 3:17\n\n');
    expect(helloFrame(null, 2000)).toBe('retry: 2000\n\n');
    expect(heartbeatFrame(place, 'comment')).toBe(': still here\nid: 3:17\n\n');
  });

  it('is an event without a word to say for who asks for that', () => {
    expect(heartbeatFrame(place, 'event')).toBe(': still here\nid: 3:17\nevent: here\ndata: {}\n\n');
  });

  it('is told apart from a reset, which says why and where it goes on', () => {
    expect(resetFrame(place, 'epoch')).toBe('id: 3:17\nevent: reset\ndata: {"reason":"epoch","id":"3:17"}\n\n');
  });
});

describe('An event id', () => {
  it('is read as it was written', () => {
    expect(parseEventId('3:17')).toEqual(place);
    expect(parseEventId('1:0')).toEqual({ epoch: 1, position: 0 });
  });

  it.each(['', '3', ':', '0:1', '3:-1', '3:01', '3:1.5', ' 3:1', '3:1 ', '3:1:1', 'x:1', '9999999999999999:1'])('is not %j', (text) => {
    expect(parseEventId(text)).toBeNull();
  });
});
