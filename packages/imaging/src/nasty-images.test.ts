import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configureImaging } from './configure-imaging.ts';
import { prepareImage } from './prepare-image.ts';
import { sharedData } from './test-support/shared-data.ts';

/** Files of ../shared/data/nasty that cannot be used; all others can. */
const REFUSED: Readonly<Record<string, string>> = {
  'made-empty.jpg': 'empty',
  'made-not-an-image.jpg': 'not-an-image',
  'made-truncated-half.jpg': 'truncated',
  'sharp-65536-uint32-limit.png': 'too-large',
  'sharp-check.svg': 'unsupported-format',
  'sharp-corrupt-header.jpg': 'truncated', // ends within the header's first segment
  'sharp-giant-image.jpg': 'too-large',
  'sharp-relax.jp2': 'unsupported-format',
  'sharp-truncated.jpg': 'truncated',
  'sharp-truncated.png': 'truncated',
  'skimage-truncated.jpg': 'truncated',
};
const MAX_MS = 5000;
const MAX_GROWTH_BYTES = 300e6;

const nasty = sharedData('nasty');
const files = nasty.present ? readdirSync(nasty.url).filter((name) => !name.endsWith('.json')) : [];

describe.skipIf(!nasty.present)('every nasty picture ends with pixels or a code', () => {
  beforeAll(() => configureImaging());

  test.each(files)('%s', { timeout: MAX_MS }, async (name) => {
    const before = process.memoryUsage.rss();
    const result = await prepareImage(nasty.read(name), 'crop');
    expect(result.status === 'ok' ? 'ok' : result.code).toBe(REFUSED[name] ?? 'ok');
    if (result.status === 'ok') expect(result.pixels).toHaveLength(224 * 224 * 3);
    expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(MAX_GROWTH_BYTES);
  });

  test('the table names no file that is gone', () => {
    expect(Object.keys(REFUSED).filter((name) => !files.includes(name))).toEqual([]);
  });
});
