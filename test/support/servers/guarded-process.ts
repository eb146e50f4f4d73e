import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { findProgram } from './find-program.ts';

const LINES_KEPT = 20;

export interface GuardedProcess {
  readonly pid: number;
  /** Settles, and never rejects, when it has ended: how, and the last lines it wrote. */
  readonly ended: Promise<string>;
  /** Resolves when it has written a line that contains `text`. @throws when it ends before. */
  wrote(text: string): Promise<void>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a server that does not outlive this process, even one that is killed, where util-linux can see to that. */
export async function startGuarded(program: string, args: readonly string[]): Promise<GuardedProcess> {
  const path = findProgram(program) ?? program;
  const guard = findProgram('setpriv');
  const [command, ...rest] = guard === undefined ? [path] : [guard, '--pdeathsig', 'KILL', '--', path];
  const child = spawn(command, [...rest, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'spawn');

  const lines: string[] = [];
  const waiting = new Set<{ text: string; resolve: () => void }>();
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      for (const wait of waiting) if (line.includes(wait.text)) wait.resolve();
    });
  }
  const ended = once(child, 'close').then(([code, signal]: (string | number | null)[]) =>
    [`${program} ended with ${code ?? signal}`, ...lines].join('\n'),
  );
  return {
    pid: child.pid!,
    ended,
    async wrote(text) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wait = { text, resolve };
      waiting.add(wait);
      const early = ended.then((how) => Promise.reject(new Error(how)));
      try {
        await Promise.race([promise, early]);
      } finally {
        waiting.delete(wait);
        early.catch(() => {});
      }
    },
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}
