import type { Environment } from './environment.ts';
import type { Terminal } from './terminal.ts';

/** What a command gets from the process that it runs in. */
export interface Context {
  readonly terminal: Terminal;
  readonly environment: Environment;
  /** Versions of what the numbers depend on, for `run.json`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Shows how far the download of weights is. */
  readonly showDownload: (receivedBytes: number, totalBytes: number | null) => void;
}
