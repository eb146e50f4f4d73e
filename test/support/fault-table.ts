import { appendFileSync } from 'node:fs';

/** What became of one run under one fault. */
export interface FaultOutcome {
  readonly fault: string;
  /** Images submitted, and those that have exactly one row in the end. */
  readonly submitted: number;
  readonly accounted: number;
  /** Whether all tables, sums and grids are those of an undisturbed run. */
  readonly identical: boolean;
  readonly chunks: number;
  /** Executions of chunks that were begun: what the fault cost beyond `chunks`. */
  readonly executions: number;
  readonly seconds: number;
}

/** Adds a line to the table that `npm run reliability` makes; nothing without it. */
export function recordFault(outcome: FaultOutcome): void {
  const file = process.env['FILTERSCOPE_FAULTS_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(outcome)}\n`);
}
