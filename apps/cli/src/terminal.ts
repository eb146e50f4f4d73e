import { once } from 'node:events';

/** Where a command writes: data to `stdout`, everything else to `stderr`. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

/** A line for the person at the keyboard. */
export function say({ stderr }: Terminal, line: string): void {
  stderr.write(`${line}\n`);
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
