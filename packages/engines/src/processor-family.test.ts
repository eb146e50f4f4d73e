import { readFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { expect, test } from 'vitest';
import { processorFamily } from './processor-family.ts';

test('the processor family is the architecture, on Linux with the widest instructions that it has', () => {
  const family = processorFamily();
  expect(family).toMatch(/^[a-z0-9]+(-avx512|-avx2|-avx)?$/);
  expect(family.split('-')[0]).toBe(arch());
  if (platform() !== 'linux' || arch() !== 'x64') return;
  const flags = new Set(
    /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].trim().split(/\s+/),
  );
  expect(family.endsWith('-avx512')).toBe(flags.has('avx512f'));
  expect(family.endsWith('-avx2')).toBe(flags.has('avx2') && !flags.has('avx512f'));
});
