import { type DrillName } from '@tidegate/observability/drills/catalogue';
import { badSignatures, webhookEndpointBroken } from './deliveries.drills.js';
import { type Drill } from './drill.js';
import { brokerStoreLost, receiptFailures, reconciliationMissing, serviceDown } from './house.drills.js';
import { databaseLost } from './restore.drill.js';
import {
  backlog,
  breakerIsolated,
  breakerOpen,
  keyRefused,
  processorDown,
  stuckPendingPayments,
  windowNotExpiring,
} from './stripe.drills.js';

/** What each drill of the catalogue does. */
export const drills: Readonly<Record<DrillName, Drill>> = {
  'breaker-open': breakerOpen,
  'processor-down': processorDown,
  'key-refused': keyRefused,
  'breaker-isolated': breakerIsolated,
  'reconciliation-missing': reconciliationMissing,
  'webhook-endpoint-broken': webhookEndpointBroken,
  'bad-signatures': badSignatures,
  'stuck-pending-payments': stuckPendingPayments,
  'receipt-failures': receiptFailures,
  'broker-store-lost': brokerStoreLost,
  'window-not-expiring': windowNotExpiring,
  backlog,
  'service-down': serviceDown,
  restore: databaseLost,
};
