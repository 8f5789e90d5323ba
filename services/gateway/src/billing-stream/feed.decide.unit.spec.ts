import { describe, expect, it } from '@jest/globals';
import type { Standing } from './event-log.js';
import { heed, judge, startOf } from './feed.decide.js';

const standing: Standing = { epoch: 2, epochStart: 50, floor: 20, position: 100 };

describe('An event from the broker', () => {
  it.each([
    ['the next one is appended', 2, 101, 'append'],
    ['one that is known is dropped', 2, 100, 'drop'],
    ['one above a hole is held', 2, 103, 'hold'],
    ['one of an epoch that nobody told of is asked for', 3, 101, 'ask'],
    ['one of the history that a restore has lost is dropped', 1, 101, 'drop'],
    ['one from before the restore is like any other', 1, 49, 'drop'],
  ])('%s', (_what, epoch, position, expected) => {
    expect(judge(standing, { epoch, position })).toBe(expected);
  });

  it('is asked for while nothing is known', () => {
    expect(judge(null, { epoch: 1, position: 1 })).toBe('ask');
  });
});

describe("The owner's word", () => {
  it.each([
    ['more of the same', { epoch: 2, floor: 20, head: 140 }, 'read'],
    ['nothing new', { epoch: 2, floor: 20, head: 100 }, 'read'],
    ['another epoch', { epoch: 3, floor: 20, head: 70 }, 'new_epoch'],
    ['a floor above what comes next', { epoch: 2, floor: 102, head: 140 }, 'below_floor'],
    ['a floor above everything, and nothing new', { epoch: 2, floor: 120, head: 100 }, 'read'],
    ['an older epoch', { epoch: 1, floor: 20, head: 140 }, 'epoch_went_back'],
    ['less than it said before', { epoch: 2, floor: 20, head: 99 }, 'owner_behind'],
  ] as const)('%s', (_what, page, expected) => {
    expect(heed(standing, page, 100)).toBe(expected);
  });

  it('is no step back when the broker was quicker than the answer', () => {
    expect(heed({ ...standing, position: 105 }, { epoch: 2, floor: 20, head: 102 }, 100)).toBe('read');
  });
});

describe('A connection begins', () => {
  const now = { epoch: 2, position: 100 };
  it.each([
    ['now when it has seen nothing', null, { at: now, reset: null }],
    ['behind what it has seen', { epoch: 2, position: 60 }, { at: { epoch: 2, position: 60 }, reset: null }],
    ['at the floor', { epoch: 2, position: 19 }, { at: { epoch: 2, position: 19 }, reset: null }],
    ['anew below the floor', { epoch: 2, position: 18 }, { at: now, reset: 'below_floor' }],
    ['anew after another epoch', { epoch: 1, position: 60 }, { at: now, reset: 'epoch' }],
    ['where another replica has brought it already', { epoch: 2, position: 104 }, { at: { epoch: 2, position: 104 }, reset: null }],
    [
      'where another replica is, which knows of the next epoch already',
      { epoch: 3, position: 90 },
      { at: { epoch: 3, position: 90 }, reset: null },
    ],
  ] as const)('%s', (_what, lastSeen, expected) => {
    expect(startOf(lastSeen, standing)).toEqual(expected);
  });

  it('where it was when nothing came since, even if everything before is gone', () => {
    expect(startOf({ epoch: 2, position: 100 }, { ...standing, floor: 101 })).toEqual({ at: now, reset: null });
  });
});
