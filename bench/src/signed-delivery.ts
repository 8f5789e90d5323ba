import { createHmac } from 'node:crypto';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';

/** A whole HTTP/1.1 request as it goes over the wire. */
export type RequestBytes = Buffer;

/** The size that the issue of this benchmark asks for; Stripe's events of a PaymentIntent have about that. */
const BODY_BYTES = 1_700;
const EVENT_ID = '@event@';
const OBJECT_ID = '@object@';

let made = 0;
const template = eventOf().split(new RegExp(`(${EVENT_ID}|${OBJECT_ID})`));

/** A delivery of a new `payment_intent.succeeded`, indented like Stripe's, about an intent of its own, signed now. */
export function signedDelivery(secret: string): RequestBytes {
  const id = `${process.pid.toString(36)}${(made++).toString(36).padStart(7, '0')}`;
  const body = template.map((part) => (part === EVENT_ID ? `evt_bench${id}` : part === OBJECT_ID ? `pi_bench${id}` : part)).join('');
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return Buffer.from(
    `POST /webhooks/stripe HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\nAccept: */*; q=0.5, application/xml\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nCache-Control: no-cache\r\nStripe-Signature: t=${at},v1=${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function eventOf(): string {
  const object = {
    id: OBJECT_ID,
    object: 'payment_intent',
    amount: 4200,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 4200,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: { allow_redirects: 'never', enabled: true },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${OBJECT_ID}_secret_ofthebenchmark`,
    confirmation_method: 'automatic',
    created: 1795240800,
    currency: 'usd',
    customer: null,
    description: '',
    last_payment_error: null,
    latest_charge: 'ch_bench',
    livemode: false,
    metadata: { tenant_id: 'default', order: '6735' },
    next_action: null,
    on_behalf_of: null,
    payment_method: 'pm_card_visa',
    payment_method_types: ['card'],
    receipt_email: null,
    setup_future_usage: null,
    shipping: null,
    status: 'succeeded',
    transfer_group: null,
  };
  const event = {
    id: EVENT_ID,
    object: 'event',
    api_version: API_VERSION,
    created: Math.floor(Date.now() / 1000),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: 'req_bench', idempotency_key: 'bench' },
    type: 'payment_intent.succeeded',
  };
  const short = BODY_BYTES - JSON.stringify(event, null, 2).length;
  object.description = 'x'.repeat(Math.max(0, short));
  return JSON.stringify(event, null, 2);
}
