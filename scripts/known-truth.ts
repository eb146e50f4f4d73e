/**
 * Prints, as Markdown, how comparisons stand to a truth that is known: `node scripts/known-truth.ts [repetitions]`. 200
 * repetitions take a minute.
 */
import { scoreComparisons, type Estimate } from '../test/numbers/known-truth.ts';

const repetitions = Number(process.argv[2] ?? 200);
const shown = ({ mean, error }: Estimate) =>
  Number.isNaN(mean) ? '–' : `${(100 * mean).toFixed(2)} ± ${(100 * error).toFixed(2)}`;
const scores = scoreComparisons(repetitions);
const row = (title: string, of: (score: (typeof scores)[number]) => Estimate) =>
  `| ${[title, ...scores.map((score) => shown(of(score)))].join(' | ')} |`;

console.log(`| %, ± standard error, ${repetitions} repetitions | ${scores.map(({ way }) => way).join(' | ')} |
|---|${'---|'.repeat(scores.length)}
${row('intervals of filters’ blank rates that hold the truth', ({ coverage }) => coverage['filter blank rates'])}
${row('… of filters’ zero shares', ({ coverage }) => coverage['filter zero shares'])}
${row('… of layers’ blank rates', ({ coverage }) => coverage['layer blank rates'])}
${row('… of layers’ zero shares', ({ coverage }) => coverage['layer zero shares'])}
${row('false among the filters said to be blank more or less often', ({ falseShare }) => falseShare['filter blank rates'])}
${row('false among the filters said to have another zero share', ({ falseShare }) => falseShare['filter zero shares'])}
${row('filters that are blank more or less often, found', ({ found }) => found)}
${row('… and rightly called newly dead, revived, more or less blank', ({ named }) => named)}`);
