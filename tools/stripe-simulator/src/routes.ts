import { accountRoutes } from './account/routes.js';
import { balanceRoutes } from './balance/routes.js';
import { balanceTransactionRoutes } from './balance-transactions/routes.js';
import { chargeRoutes } from './charges/routes.js';
import { checkoutRoutes } from './checkout/routes.js';
import { cliRoutes } from './cli/routes.js';
import { customerRoutes } from './customers/routes.js';
import { disputeRoutes } from './disputes/routes.js';
import { eventDestinationRoutes } from './event-destinations/routes.js';
import { eventRoutes } from './events/routes.js';
import { v2EventRoutes } from './events/v2-routes.js';
import { type Route } from './http/route.js';
import { invoiceItemRoutes } from './invoice-items/routes.js';
import { invoicePaymentRoutes } from './invoice-payments/routes.js';
import { invoiceRoutes } from './invoices/routes.js';
import { meterRoutes } from './meters/routes.js';
import { paymentIntentRoutes } from './payment-intents/routes.js';
import { paymentMethodRoutes } from './payment-methods/routes.js';
import { priceRoutes } from './prices/routes.js';
import { productRoutes } from './products/routes.js';
import { mandateRoutes } from './mandates/routes.js';
import { payoutRoutes } from './payouts/routes.js';
import { refundRoutes } from './refunds/routes.js';
import { setupIntentRoutes } from './setup-intents/routes.js';
import { subscriptionRoutes } from './subscriptions/routes.js';
import { webhookEndpointRoutes } from './webhooks/routes.js';

/** Every supported operation; anything else is `Unrecognized request URL`. */
export const routes: readonly Route[] = [
  ...paymentIntentRoutes,
  ...chargeRoutes,
  ...refundRoutes,
  ...customerRoutes,
  ...paymentMethodRoutes,
  ...balanceRoutes,
  ...balanceTransactionRoutes,
  ...payoutRoutes,
  ...mandateRoutes,
  ...setupIntentRoutes,
  ...disputeRoutes,
  ...eventRoutes,
  ...webhookEndpointRoutes,
  ...accountRoutes,
  ...cliRoutes,
  ...eventDestinationRoutes,
  ...v2EventRoutes,
  ...productRoutes,
  ...priceRoutes,
  ...checkoutRoutes,
  ...invoiceRoutes,
  ...subscriptionRoutes,
  ...meterRoutes,
  ...invoiceItemRoutes,
  ...invoicePaymentRoutes,
];
