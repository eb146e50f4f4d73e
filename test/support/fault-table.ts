import { appendFileSync } from 'node:fs';

/** What became of one run under one fault. */
export interface FaultOutcome {
  readonly fault: string;
  /** What was done to inflict it. */
  readonly injected: string;
  /** Images submitted, and those that have exactly one row in the end. */
  readonly submitted: number;
  readonly accounted: number;
  /** Whether all tables, sums and grids are those of an undisturbed run; with an exception, the rows and readings of all others. */
  readonly identical: boolean;
  /** The image whose own fault it is, with the code that it has to end with. */
  readonly exception: string | null;
  /** Attempts that left objects that no commit names. */
  readonly remains: number;
  readonly seconds: number;
}

/** Adds a line to the table that `npm run reliability` makes; nothing without it. */
export function recordFault(outcome: FaultOutcome): void {
  const file = process.env['FILTERSCOPE_FAULTS_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(outcome)}\n`);
}

/** All outcomes as a table of Markdown: a line for each kind of fault, in the order in which they first happened. */
export function faultTable(outcomes: readonly FaultOutcome[]): string {
  const byFault = Map.groupBy(outcomes, ({ fault, injected }) => `${fault}\n${injected}`);
  const rows = [...byFault.values()].map((same) => {
    const [{ fault, injected, exception }] = same;
    const sum = (count: (outcome: FaultOutcome) => number) =>
      same.reduce((total, outcome) => total + count(outcome), 0);
    const [submitted, accounted] = [sum((one) => one.submitted), sum((one) => one.accounted)];
    const identical = sum((one) => Number(one.identical));
    const tables = identical === same.length ? 'identical' : `**differ in ${same.length - identical}**`;
    const cells = [
      fault,
      injected,
      submitted === accounted ? 'nothing' : `**${submitted - accounted} images**`,
      `${accounted} of ${submitted}`,
      exception === null ? tables : `${tables}, but for ${exception}`,
      same.length,
      sum((one) => one.remains),
      spread(same.map(({ seconds }) => seconds)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| fault | what was injected | lost | images accounted of submitted | tables | repetitions | remains | seconds |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function spread(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(1));
  return least === most ? least : `${least}–${most}`;
}
