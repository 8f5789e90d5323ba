import { type Drill } from './drill.js';
import { untilFires } from './until-fires.js';

/** The schedule is off, as a suspended CronJob is, and time is made to have passed: nobody waits a day. */
export const reconciliationMissing: Drill = {
  env: { reconciliation: { RECONCILIATION_CRON: 'off' } },
  inject: async ({ arena }) => {
    await arena.sql(`UPDATE reconciliation.installation SET installed_at = installed_at - interval '26 hours'`);
    await arena.sql(`UPDATE reconciliation.runs SET finished_at = finished_at - interval '26 hours' WHERE trigger <> 'rolling'`);
  },
};

/** A release in which every document fails; going back to the one before ends it. */
export const receiptFailures: Drill = {
  env: { receipts: { TIDEGATE_FAILPOINT: 'receipts.render.compile.before_call:error' } },
  thresholds: { ReceiptMissing: ['> 300', '> 3'] },
  inject: async (stage) => {
    for (let paid = 0; paid < 3; paid += 1) await stage.pay();
  },
  heal: ({ arena }) => arena.stack.restart('receipts'),
};

/** The broker dies, and what stands on its disk is gone. */
export const brokerStoreLost: Drill = {
  inject: async (stage) => {
    const { arena } = stage;
    await stage.pay();
    await arena.inboxesEven();
    await arena.stack.killNats();
    arena.stack.wipeNats();
    await stage.pay();
    // Long enough for the canary; what happens to payments meanwhile waits in the outbox.
    await untilFires(stage, 'BrokerCanaryFailed');
    await arena.stack.startNats();
  },
  heal: ({ arena }) => arena.inboxesEven(),
};

/** Nobody starts it again, until somebody does. */
export const serviceDown: Drill = {
  inject: async ({ arena }) => void (await arena.stack.kill('receipts')),
  heal: ({ arena }) => arena.stack.restart('receipts'),
};
