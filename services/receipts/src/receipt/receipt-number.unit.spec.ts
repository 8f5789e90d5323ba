import { describe, expect, it } from '@jest/globals';
import { formatNumber, isNumberFormat } from './receipt-number.js';

describe('When a receipt number is written', () => {
  it('pads the sequence', () => {
    expect(formatNumber('{series}-{year}-{sequence:6}', { series: 'R', year: 2026, sequence: 42 })).toBe('R-2026-000042');
  });

  it('never cuts a sequence that outgrew its padding', () => {
    expect(formatNumber('{series}-{year}-{sequence:6}', { series: 'R', year: 2026, sequence: 1_234_567 })).toBe('R-2026-1234567');
  });

  it('follows another format', () => {
    expect(formatNumber('{year}/{sequence} {series}', { series: 'CN', year: 2027, sequence: 1 })).toBe('2027/1 CN');
  });
});

describe('When a number format is set', () => {
  it.each(['{series}-{year}-{sequence:6}', '{year}/{series}/{sequence}', 'No. {series} {sequence} {year}'])('takes %s', (format) => {
    expect(isNumberFormat(format)).toBe(true);
  });

  it.each([
    ['without the year, where numbers would repeat', '{series}-{sequence}'],
    ['without the sequence', '{series}-{year}'],
    ['without the series', '{year}-{sequence}'],
    ['where two numbers could run into one', '{series}-{year}{sequence}'],
    ['with a part twice', '{series}-{year}-{sequence}-{sequence}'],
    ['with characters that have no place in a file name', '{series}-{year}-{sequence}\u202E'],
  ])('refuses one %s', (_, format) => {
    expect(isNumberFormat(format)).toBe(false);
  });
});
