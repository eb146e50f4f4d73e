import { readFileSync } from 'node:fs';
import { arch, platform } from 'node:os';

/**
 * The processor as far as arithmetic depends on it, for example `x64-avx512`: runtimes choose their kernels by it, and
 * kernels add in different orders. Instruction sets are known on Linux; elsewhere the architecture alone.
 */
export function processorFamily(): string {
  if (platform() !== 'linux' || arch() !== 'x64') return arch();
  const flags =
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags\s*:(.*)$/m)?.[1]
      ?.split(' ') ?? [];
  const widest = ['avx512f', 'avx2', 'avx'].find((flag) => flags.includes(flag));
  return widest ? `x64-${widest.replace('512f', '512')}` : 'x64';
}
