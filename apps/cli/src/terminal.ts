import { once } from 'node:events';
import type { createLog } from '@filterscope/worker/log';

/** Where a command writes: data to `stdout`, everything else to `stderr`. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Takes the lines on `stderr` where somebody asked for a log. */
  readonly log?: ReturnType<typeof createLog>;
}

export async function write(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

/** A line for the person at the keyboard; in a log, with the fields of what it is about. */
export function say({ stderr, log }: Terminal, line: string, about: object = {}): void {
  if (log) log.info(about, line);
  else stderr.write(`${line}\n`);
}

/** What went wrong, for whoever started the command. */
export function complain({ stderr, log }: Terminal, line: string, about: object = {}): void {
  if (log) log.error(about, line);
  else stderr.write(`filterscope: ${line}\n`);
}

/** One object as JSON. */
export async function writeJson({ stdout }: Terminal, value: unknown): Promise<void> {
  await write(stdout, `${JSON.stringify(value, null, 2)}\n`);
}

/** An array as JSON, a line an element, however many there are. */
export async function writeJsonArray(
  { stdout }: Terminal,
  values: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<void> {
  let separator = '[';
  for await (const value of values) {
    await write(stdout, `${separator}\n${JSON.stringify(value)}`);
    separator = ',';
  }
  await write(stdout, separator === '[' ? '[]\n' : '\n]\n');
}
