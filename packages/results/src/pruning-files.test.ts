import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { encodeNpy } from './npy.ts';
import { pruningCsv, pruningMask, pruningNpz } from './pruning-files.ts';
import type { Pruning } from './pruning.ts';

const figures = {
  images: 3,
  blank: 1,
  blankRate: 1 / 3,
  blankRateLow: null,
  blankRateHigh: null,
  zeroShare: 0.5,
  zeroShareLow: null,
  zeroShareHigh: null,
  maxActivation: 2,
  meanMax: 1,
  dead: false,
  deadBound: null,
  moreImages: null,
  synthetic: true,
};
const layerOf = (layer: string, dropped: readonly boolean[]) => ({
  layer,
  rows: dropped.map((drop, filter) => ({ layer, filter, ...figures, drop })),
  drop: dropped.flatMap((drop, filter) => (drop ? [filter] : [])),
  kept: dropped.filter((drop) => !drop).length,
});
const pruning: Pruning = {
  run: 'f'.repeat(64),
  dataset: '/photos, "old"',
  weights: { name: 'synthetic', sha256: 'a'.repeat(64), flavour: 'keras', synthetic: true },
  rule: 'zeros > 0.4',
  images: 3,
  deadBound: 0.63,
  filters: 5,
  dropped: 3,
  layers: [layerOf('block1_conv1', [true, false, true]), layerOf('block5_conv3', [false, true])],
  warnings: ['few [1, 2] images'],
};

test('JSON: lists of filters to drop by layer', () => {
  const text = pruningMask(pruning);
  expect(JSON.parse(text)).toEqual({
    format: 'filterscope-pruning-mask',
    version: 1,
    ...pruning,
    layers: {
      block1_conv1: { filters: 3, kept: 1, drop: [0, 2] },
      block5_conv3: { filters: 2, kept: 1, drop: [1] },
    },
  });
  expect(text).toContain('"drop": [0, 2] },\n');
});

test('CSV: a row a filter, with its figures', () => {
  const [head, first, ...rest] = pruningCsv(pruning).trimEnd().split('\n');
  expect(head).toBe(['layer', 'filter', ...Object.keys(figures), 'drop'].join(','));
  expect(first).toBe('block1_conv1,0,3,1,0.3333333333333333,,,0.5,,,2,1,false,,,true,true');
  expect(rest).toHaveLength(4);
});

/** Reads an array as NumPy's format says, but for what is never written. */
function decodeNpy(bytes: Uint8Array): unknown {
  const file = Buffer.from(bytes);
  expect(file.subarray(0, 8)).toEqual(Buffer.from('\x93NUMPY\x01\x00', 'latin1'));
  const from = 10 + file.readUInt16LE(8);
  expect(from % 64).toBe(0);
  const header = file.subarray(10, from).toString('latin1');
  expect(header).toMatch(/^\{.*\} *\n$/);
  const [, dtype, shape] = /'descr': '(.*?)', 'fortran_order': False, 'shape': \((.*?)\)/.exec(header) ?? [];
  const data = file.subarray(from);
  if (dtype === '|b1') {
    expect(shape).toBe(`${data.length},`);
    return Array.from(data, (byte) => byte === 1);
  }
  expect([dtype, shape]).toEqual([`<U${data.length / 4}`, '']);
  return Array.from({ length: data.length / 4 }, (_, i) =>
    String.fromCodePoint(data.readUInt32LE(4 * i)),
  ).join('');
}

describe('npz', () => {
  const expected = {
    block1_conv1: [false, true, false],
    block5_conv3: [true, false],
    run: pruning.run,
    rule: pruning.rule,
    weights_sha256: pruning.weights.sha256,
  };

  test('an array a layer, true for what is kept', () => {
    const files = Object.entries(unzipSync(pruningNpz(pruning)));
    expect(
      Object.fromEntries(files.map(([name, bytes]) => [name.replace(/\.npy$/, ''), decodeNpy(bytes)])),
    ).toEqual(expected);
  });

  test('the same bytes at any time', () => {
    expect(pruningNpz(pruning)).toEqual(pruningNpz(structuredClone(pruning)));
  });

  test('text beyond the basic plane, and a header that just fits', () => {
    for (const text of ['', 'ä€𝄞', 'x'.repeat(9), 'x'.repeat(10), 'x'.repeat(100)])
      expect(decodeNpy(encodeNpy(text))).toBe(text);
    for (let length = 0; length < 200; length += 7) {
      const mask = Array.from({ length }, (_, i) => i % 3 === 0);
      expect(decodeNpy(encodeNpy(mask))).toEqual(mask);
    }
  });

  const numpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;
  test.skipIf(!numpy)('NumPy itself reads it, without pickle', () => {
    const folder = mkdtempSync(join(tmpdir(), 'filterscope-test-'));
    try {
      writeFileSync(join(folder, 'mask.npz'), pruningNpz(pruning));
      const script =
        'import json, sys, numpy\nz = numpy.load("mask.npz", allow_pickle=False)\n' +
        'json.dump({k: z[k].tolist() for k in z}, sys.stdout)';
      const { stdout, stderr } = spawnSync('python3', ['-c', script], { cwd: folder, encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
