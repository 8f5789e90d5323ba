import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Board, startBoard } from '@tidegate/local-stack/observability/board/board.server';
import { committedDashboards } from '@tidegate/local-stack/observability/board/dashboard-file';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { openPage } from '@tidegate/test-harness/browser';
import { eventually } from '@tidegate/test-harness/eventually';
import { openStage, type Stage } from './drills/stage.js';

let stage: Stage;
let board: Board;
let opened: Awaited<ReturnType<typeof openPage>>;
beforeAll(async () => {
  stage = await openStage({ withAlertmanager: false });
  board = await startBoard(stage.prometheus.url);
  opened = await openPage();
}, 1_800_000);
afterAll(async () => {
  await opened?.browser.close();
  await board?.stop();
  await stage?.close();
}, 60_000);

describe('The dashboards of a Tidegate that runs', () => {
  it('show data in every panel, and fit their page; pictures are in .tidegate/screenshots', async () => {
    const { page } = opened;
    const folder = join(repositoryRoot(), '.tidegate', 'screenshots');
    mkdirSync(folder, { recursive: true });
    // An increase needs a scrape from before.
    await eventually(async () => expect(await stage.query('billing_reconciliation_duration_seconds_count')).toHaveLength(1), {
      timeoutMs: 30_000,
      everyMs: 250,
    });
    for (let paid = 0; paid < 30; paid += 1) await stage.pay(paid % 5 === 4 ? { payment_method: 'pm_card_visa_chargeDeclined' } : {});
    const today = new Date().toISOString().slice(0, 10);
    const body = { start_date: today, end_date: today, mode: 'report', reason: 'pictures of the dashboards' };
    const run = await stage.arena.client.send({ method: 'POST', path: '/v1/reconciliation/runs', key: 'pictures', body });
    expect([run.status, run.body]).toEqual([201, expect.any(String)]);
    for (const { uid, panels } of committedDashboards()) {
      const empty = await eventually(
        async () => {
          await stage.pay();
          await page.goto(`${board.url}/${uid}`);
          const without = await page.locator('figure:has(.empty) figcaption').allInnerTexts();
          // Only what fires would show here.
          const expected = panels.filter(({ targets }) => targets.every(({ expr }) => expr.includes('ALERTS'))).map(({ title }) => title);
          expect(without.filter((title) => !expected.includes(title))).toEqual([]);
          return without;
        },
        { timeoutMs: 60_000, everyMs: 1_000 },
      );
      expect(empty.length).toBeLessThan(panels.length);
      expect(await page.locator('figure').count()).toBe(panels.length);
      expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true);
      await page.screenshot({ path: join(folder, `${uid}.png`), fullPage: true });
    }
  }, 300_000);
});
