import { type BalanceTransaction } from './balance-transactions/balance-transaction.js';
import { type Charge } from './charges/charge.js';
import { Listeners } from './cli/listeners.js';
import { type CheckoutOrder, type CheckoutSession } from './checkout/session.js';
import { LateWork } from './clock/late-work.js';
import { Scheduler } from './clock/scheduler.js';
import { VirtualClock } from './clock/virtual-clock.js';
import { type Customer, type DeletedCustomer } from './customers/customer.js';
import { type Dispute } from './disputes/dispute.js';
import { type EventDestination } from './event-destinations/event-destination.js';
import { EventLog } from './events/event-log.js';
import { FaultBox } from './faults/fault-box.js';
import { RequestLog } from './http/request-log.js';
import { IdempotencyKeys, V2_KEPT_SECONDS } from './idempotency/idempotency-keys.js';
import { Ids } from './ids/ids.js';
import { Random } from './ids/random.js';
import { type InvoiceItem } from './invoice-items/invoice-item.js';
import { type InvoicePayment } from './invoice-payments/invoice-payment.js';
import { type Invoice } from './invoices/invoice.js';
import { InvoiceChanges } from './invoices/invoice-changes.js';
import { type Mandate } from './mandates/mandate.js';
import { type Meter } from './meters/meter.js';
import { ObjectLocks } from './limits/object-locks.js';
import { RateLimiter } from './limits/rate-limiter.js';
import { type MeterEventRecord } from './meters/meter-event.js';
import { IntentChanges, type IntentOwner } from './payment-intents/intent-changes.js';
import { type PaymentIntent } from './payment-intents/payment-intent.js';
import { type PaymentMethod } from './payment-methods/payment-method.js';
import { type PaidOut, type Payout } from './payouts/payout.js';
import { type Price, type PriceTiers } from './prices/price.js';
import { type Product } from './products/product.js';
import { type Refund } from './refunds/refund.js';
import { SelfCheck } from './schema/self-check.js';
import { type Settings } from './settings.js';
import { type SetupAttempt, type SetupIntent } from './setup-intents/setup-intent.js';
import { Collection, type Stored } from './store/collection.js';
import { type Subscription } from './subscriptions/subscription.js';
import { Deliveries } from './webhooks/deliveries.js';
import { type Endpoint } from './webhooks/endpoint.js';
import { type RetiredSecret } from './webhooks/retired-secrets.js';

type Created = { readonly created: number };
const created = (item: Created): number => item.created;
const never = (): number => 0;

/** All state of one simulated account. Handlers change it synchronously, so every request is atomic. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly ids: Ids;
  readonly scheduler = new Scheduler(this.clock);
  readonly lateWork = new LateWork(this.scheduler);

  readonly paymentIntents = new Collection<PaymentIntent>(created, ['customer']);
  readonly charges = new Collection<Charge>(created, ['payment_intent', 'customer']);
  readonly refunds = new Collection<Refund>(created, ['payment_intent', 'charge']);
  readonly customers = new Collection<Customer>(created, ['email']);
  readonly deletedCustomers = new Map<string, DeletedCustomer>();
  readonly balanceTransactions = new Collection<BalanceTransaction>(created, ['source']);
  readonly paymentMethods = new Collection<PaymentMethod>(created, ['customer']);
  readonly endpoints = new Collection<Endpoint>(created);
  readonly disputes = new Collection<Dispute>(created, ['charge', 'payment_intent']);
  readonly payouts = new Collection<Payout>(created);
  readonly paidOut = new Collection<PaidOut>(never, ['payout']);
  readonly setupIntents = new Collection<SetupIntent>(created, ['customer', 'payment_method']);
  readonly setupAttempts = new Collection<SetupAttempt>(created, ['setup_intent']);
  readonly mandates = new Collection<Mandate>(never, ['payment_method']);
  /** Ids of cards whose holder has agreed to later payments in his absence, and intent/card pairs that passed a challenge. */
  readonly authenticated = new Collection<Stored>(never);

  readonly products = new Collection<Product>(created);
  readonly prices = new Collection<Price>(created, ['product', 'lookup_key']);
  /** Prices made by `price_data`: usable by id, in no list. */
  readonly inlinePrices = new Collection<Price>(created, ['product']);
  readonly priceTiers = new Collection<PriceTiers>(never);
  readonly meters = new Collection<Meter>(created, ['event_name']);
  readonly meterEvents = new Collection<MeterEventRecord>(({ event }) => event.created, ['meter', 'identifier']);
  readonly checkoutSessions = new Collection<CheckoutSession>(created, ['payment_intent', 'setup_intent', 'subscription', 'customer']);
  readonly checkoutOrders = new Collection<CheckoutOrder>(never);
  readonly subscriptions = new Collection<Subscription>(created, ['customer']);
  readonly invoices = new Collection<Invoice>(created, ['customer']);
  readonly invoiceItems = new Collection<InvoiceItem>(({ date }) => date, ['customer', 'invoice']);
  readonly invoicePayments = new Collection<InvoicePayment>(created, ['invoice']);
  readonly intentOwners = new Collection<IntentOwner>(never);
  readonly intentChanges = new IntentChanges();
  readonly setupChanges = new IntentChanges<SetupIntent>();
  readonly invoiceChanges = new InvoiceChanges();

  readonly eventDestinations = new Collection<EventDestination>((destination) => destination.createdSeconds);

  readonly retiredSecrets = new Collection<RetiredSecret>(never, ['target']);

  readonly faults: FaultBox;
  readonly requests: RequestLog;
  readonly limiter: RateLimiter | undefined;
  readonly locks = new ObjectLocks();
  readonly idempotency: IdempotencyKeys;
  /** Keys of v2 live for 30 days. */
  readonly idempotencyV2: IdempotencyKeys;
  readonly events: EventLog;
  readonly deliveries: Deliveries;
  /** CLIs that listen; no part of the account's state. */
  readonly listeners: Listeners;
  readonly selfCheck: SelfCheck | undefined;

  /** Hears of errors that nobody waits for: bugs of the simulator, which goes on. */
  onBug: (where: string, error: unknown) => void = () => undefined;

  /** Where this simulator answers; known once it listens. */
  baseUrl = '';

  constructor(readonly settings: Settings) {
    this.random = new Random(settings.seed);
    this.ids = new Ids(this.random);
    this.faults = new FaultBox(settings.seed);
    this.requests = new RequestLog(settings.keptRequests);
    this.limiter = settings.rateLimits === null ? undefined : new RateLimiter(settings.rateLimits, this.clock);
    this.scheduler.onFailure(({ kind, id }, error) => this.bug(`${kind} of ${id}`, error));
    this.idempotency = new IdempotencyKeys(this.clock, settings.keptIdempotencyKeys);
    this.idempotencyV2 = new IdempotencyKeys(this.clock, settings.keptIdempotencyKeys, V2_KEPT_SECONDS);
    this.deliveries = new Deliveries(this);
    this.events = new EventLog(this);
    this.listeners = new Listeners(this);
    this.selfCheck = settings.selfCheck ? new SelfCheck() : undefined;
  }

  /** Tells of an error that would otherwise end the process. */
  bug(where: string, error: unknown): void {
    this.selfCheck?.fault(`${where}: ${String(error)}`);
    this.onBug(where, error);
  }

  /** Forgets everything except the endpoints given at start. Ids go on, so nothing ever gets an id twice. */
  reset(): void {
    const kept = this.endpoints.all().filter(({ fixed }) => fixed);
    for (const collection of Object.values(this.collections())) collection.clear();
    this.deletedCustomers.clear();
    this.scheduler.clear();
    this.lateWork.clear();
    this.clock.setOffsetSeconds(0);
    this.faults.clear();
    this.requests.clear();
    this.idempotency.clear();
    this.idempotencyV2.clear();
    this.events.clear();
    this.deliveries.clear();
    for (const endpoint of kept) this.endpoints.insert(endpoint);
  }

  /** What a restart carries over and a reset forgets, by the name in the state file. */
  collections(): Readonly<Record<string, AnyCollection>> {
    const { paymentIntents, charges, refunds, customers, balanceTransactions, paymentMethods, endpoints } = this;
    const { disputes, payouts, paidOut, setupIntents, setupAttempts, mandates, authenticated } = this;
    const { products, prices, inlinePrices, priceTiers, meters, meterEvents, checkoutSessions, checkoutOrders } = this;
    const { subscriptions, invoices, invoiceItems, invoicePayments, intentOwners } = this;
    const { eventDestinations, retiredSecrets } = this;
    const thinEvents = this.events.thin;
    return {
      ...{ paymentIntents, charges, refunds, customers, balanceTransactions, paymentMethods, endpoints },
      ...{ disputes, payouts, paidOut, setupIntents, setupAttempts, mandates, authenticated },
      ...{ products, prices, inlinePrices, priceTiers, meters, meterEvents, checkoutSessions, checkoutOrders },
      ...{ subscriptions, invoices, invoiceItems, invoicePayments, intentOwners },
      ...{ eventDestinations, thinEvents, retiredSecrets },
    } as unknown as Readonly<Record<string, AnyCollection>>;
  }
}

interface AnyCollection {
  readonly size: number;
  page(query: { limit: number; matches?: (item: Stored) => boolean }): { readonly data: readonly Stored[] } | undefined;
  get(id: string): Stored | undefined;
  all(): readonly Stored[];
  insert(item: Stored): unknown;
  clear(): void;
}
