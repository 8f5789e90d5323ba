import { balanceView } from './balance-transactions/routes.js';
import { type Charge } from './charges/charge.js';
import { disputeView } from './disputes/view.js';
import { type Expander } from './http/expand.js';
import { billingFinders, billingIncludable } from './lookup-billing.js';
import { type World } from './world.js';

/** Finds objects by type and id for `expand`, and the lists that show only when asked for. */
export function expanderOf(world: World): Expander {
  const finders: Readonly<Record<string, (id: string) => object | undefined>> = {
    ...billingFinders(world),
    charge: (id) => world.charges.get(id),
    payment_intent: (id) => world.paymentIntents.get(id),
    payment_method: (id) => world.paymentMethods.get(id),
    customer: (id) => world.customers.get(id),
    deleted_customer: (id) => world.deletedCustomers.get(id),
    refund: (id) => world.refunds.get(id),
    mandate: (id) => world.mandates.get(id),
    setup_intent: (id) => world.setupIntents.get(id),
    setup_attempt: (id) => world.setupAttempts.get(id),
    payout: (id) => world.payouts.get(id),
    dispute: (id) => {
      const found = world.disputes.get(id);
      return found && disputeView(world, found);
    },
    balance_transaction: (id) => {
      const found = world.balanceTransactions.get(id);
      return found && balanceView(world, found);
    },
  };
  return {
    find: (types, id) => {
      for (const type of types) {
        const found = finders[type]?.(id);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    include: (owner, field) => includable(world, owner as { object?: string; id: string }, field),
  };
}

function includable(world: World, owner: { object?: string; id: string }, field: string): unknown {
  const list = (data: readonly object[], url: string): object => ({ object: 'list', data, has_more: false, url });
  if (owner.object === 'charge' && field === 'refunds') {
    return list(world.refunds.by('charge', (owner as Charge).id).reverse(), `/v1/charges/${owner.id}/refunds`);
  }
  if (owner.object === 'customer' && ['sources', 'tax_ids'].includes(field)) return list([], `/v1/customers/${owner.id}/${field}`);
  return billingIncludable(world, owner, field);
}
