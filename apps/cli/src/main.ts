import { createRequire } from 'node:module';
import { CommanderError } from 'commander';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { printable } from '@filterscope/errors/printable';
import type { Context } from './context.ts';
import { parseEnvironment, type LogLevel } from './environment.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { bytes } from './format.ts';
import { createProgram } from './program.ts';
import { complain, say, type Terminal } from './terminal.ts';

const SAME_SIGNAL_MS = 300;

let terminal: Terminal = process;
const interrupted = new AbortController();

// The first Ctrl-C stops the work in hand and tidies up, the second ends at once. One that comes along with the first is the
// same, passed on by npx or a supervisor.
let firstAt = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted && performance.now() - firstAt > SAME_SIGNAL_MS) {
      process.exit(EXIT.interrupted);
    }
    if (interrupted.signal.aborted) return;
    firstAt = performance.now();
    interrupted.abort(new FilterscopeError('interrupted', 'interrupted'));
  });
}
// `filterscope images | head`: whoever reads has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.unexpected);
});

try {
  const environment = parseEnvironment(process.env, process.platform);
  if (environment.logLevel) terminal = await withLog(environment.logLevel);
  const context: Context = {
    terminal,
    environment,
    versions: versions(),
    signal: interrupted.signal,
    showDownload: downloadProgress(),
  };
  process.exitCode = EXIT.done;
  const program = createProgram(context, (exitCode) => {
    process.exitCode = exitCode;
  });
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, in a sentence where it is known. @returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return exitCodeOf(error); // commander has said it
  if (interrupted.signal.aborted) {
    say(terminal, 'Stopped. What was committed is kept: the same command goes on from there.');
    return EXIT.interrupted;
  }
  if (error instanceof FilterscopeError) {
    const { code, message } = error;
    complain(terminal, message.split('\n').map(printable).join('\n'), { code });
  } else {
    const what = error instanceof Error ? error.stack : String(error);
    complain(terminal, `this should not have happened; please report it.\n${what}`);
  }
  return exitCodeOf(error);
}

/** Loads the log's code only for those who want one. */
async function withLog(level: LogLevel): Promise<Terminal> {
  const { createLog } = await import('@filterscope/worker/log');
  return { stdout: process.stdout, stderr: process.stderr, log: createLog(level) };
}

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const version = (file: string) => (require(file) as { version: string }).version;
  return { filterscope: version('../package.json'), node: process.versions.node };
}

function downloadProgress(): Context['showDownload'] {
  let next = 0;
  return (received, total) => {
    const now = performance.now();
    if (now < next && received !== total) return;
    next = now + 2000;
    say(
      terminal,
      `Downloading the ImageNet weights: ${bytes(received)}${total === null ? '' : ` of ${bytes(total)}`}`,
    );
  };
}
