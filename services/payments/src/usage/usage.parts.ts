import { type Fleet } from '@tidegate/stripe-gateway/fleet/fleet';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { type PaymentsPorts, type PaymentsSettings } from '../payments.js';
import { type CustomerCheck } from '../customer/customer.check.js';
import { compareHandlers } from './compare.rpc.js';
import { compareInvoicesHandlers } from './compare-invoices.rpc.js';
import { UsageIntake } from './intake.js';
import { limitHandlers } from './limits.rpc.js';
import { operatorUsageHandlers } from './operator-usage.rpc.js';
import { usageRepairHandlers } from './repair.rpc.js';
import { UsageReporter } from './reporter.js';
import { UnknownCustomers } from './unknown-customers.loop.js';
import { UsageMetrics } from './usage.metrics.js';
import { usageHandlers } from './usage.rpc.js';

/** The parts of usage, joined as those of payments are. `stripe` stands behind the breakers, the limiter and the telemetry. */
export function usageParts(
  ports: PaymentsPorts,
  settings: PaymentsSettings,
  { stripe, fleet, customers }: { stripe: StripePort; fleet: Fleet; customers: CustomerCheck },
) {
  const { clock, db } = ports;
  const metrics = new UsageMetrics(ports.metrics, db, () => clock.now());
  const shared = { ...ports, stripe, fleet, metrics, reportAfterMs: settings.usageReportMs };
  const intake = new UsageIntake(shared);
  return {
    reporter: new UsageReporter(shared),
    unknown: new UnknownCustomers(shared),
    handlers: {
      ...usageHandlers({ ...shared, intake }),
      ...limitHandlers({ db, clock, customers }),
      ...operatorUsageHandlers({ db, clock }),
      ...compareHandlers(shared),
      ...compareInvoicesHandlers(shared),
      ...usageRepairHandlers(shared),
    },
  };
}
