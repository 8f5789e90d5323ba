import type { ReplayOrderView, ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { facts, table } from '../output/table.js';
import { at } from '../output/time.js';

/** `3 failed, 1 parked`. */
export const standingText = (by_status: readonly { status: string; count: number }[]): string =>
  by_status.map(({ status, count }) => `${count} ${status}`).join(', ');

export const matchedText = ({ matched, more }: Pick<ReplayOrderView, 'matched' | 'more'>): string =>
  `${more ? 'more than ' : ''}${matched}`;

/** One line each, of what a replay would take. */
export function previewLines(order: ReplayOrderView): string[] {
  const types = order.by_type.slice(0, 5).map(({ type, count }) => `${count} ${type}`);
  return [
    `publish ${matchedText(order)} events once more (${standingText(order.by_status)})`,
    `of these types: ${types.join(', ')}${order.by_type.length > 5 ? ' and others' : ''}`,
    `created from ${at(order.oldest)} to ${at(order.newest)}`,
  ];
}

export const filterText = (filter: ReplayView['filter']): string => {
  const parts = Object.entries(filter).map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : value}`);
  return parts.length === 0 ? 'all events' : parts.join(' ');
};

export const replayText = (job: ReplayView): string =>
  facts([
    ['replay', job.id],
    ['status', job.status],
    ['events', filterText(job.filter)],
    ['taken', `${job.taken} of ${matchedText(job)}${job.waiting > 0 ? `, ${job.waiting} to be published` : ''}`],
    ['they are', standingText(job.by_status)],
    ['ordered', `${at(job.ordered_at)} by ${job.actor}: ${job.reason}`],
    ['finished', at(job.finished_at)],
  ]);

export const replaysTable = (jobs: readonly ReplayView[]): string =>
  table(
    ['REPLAY', 'STATUS', 'TAKEN', 'OF', 'THEY ARE', 'ORDERED', 'BY', 'WHY'],
    jobs.map((job) => [
      ...[job.id, job.status, job.taken, matchedText(job), standingText(job.by_status), at(job.ordered_at)],
      ...[job.actor, job.reason],
    ]),
  );
