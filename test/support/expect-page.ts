import { expect } from 'vitest';

const PAGE_WIDTH = 100;

/** Expects every line to fit a page, but for the note on synthetic weights, which is one sentence, and a path, of use only when whole. */
export function expectPage(text: string): void {
  for (const line of text.split('\n')) {
    if (!/^(SYNTHETIC|pictures: )/.test(line))
      expect(Array.from(line).length, line).toBeLessThanOrEqual(PAGE_WIDTH);
  }
}
