import { printable } from '@filterscope/errors/printable';
import { classSeparation, type ClassesQuestion, type ClassRow } from '@filterscope/results/class-separation';
import type { Results } from '@filterscope/results/open-results';
import { SIGNIFICANT } from '@filterscope/statistics/comparison';
import type { Context } from '../context.ts';
import { count, ending, percent, pointsWithInterval, probability } from '../format.ts';
import { runHeading } from '../run-heading.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';
import { wrap } from '../wrap.ts';

/** Rows that are shown to a person, and classes that are spoken of. */
const SHOWN = 20;
const SPOKEN_OF = 5;

/** `filterscope classes`: one row a class and filter, surest first. */
export async function classes(
  { terminal, signal }: Context,
  results: Results,
  { json, ...question }: ClassesQuestion & { json: boolean },
): Promise<void> {
  const { rows, family, withoutRest } = await classSeparation(results, question, signal);
  if (withoutRest.length > 0) {
    say(
      terminal,
      `Left out, since every image that is ok is of it: ${withoutRest.map(printable).join(', ')}`,
    );
  }
  if (json) return writeJsonArray(terminal, rows());
  const certain: ClassRow[] = [];
  for (const row of rows()) {
    if (row.adjustedP > SIGNIFICANT) break; // they come in order
    certain.push(row);
  }
  const method = question.adjust === 'bh' ? 'Benjamini–Hochberg' : 'Benjamini–Yekutieli';
  const error = `Of these, at most ${100 * SIGNIFICANT} % are expected to be none (${method} over ${family}).`;
  const found =
    certain.length === 0 ? ['No filter tells a class from the rest, as far as this shows.'] : spoken(certain);
  const text = [...found, certain.length === 0 ? `Looked at: ${family}.` : error].map((line) => wrap(line));
  const table = certain.length === 0 ? '' : `\n${classTable(certain.slice(0, SHOWN))}`;
  await write(terminal.stdout, `${runHeading(results)}${text.join('\n')}\n${table}`);
  if (certain.length > SHOWN) {
    say(terminal, `${count(certain.length - SHOWN)} more: ask for one --class or --layer, or for --json`);
  }
}

/** What separates each class, best separated first. */
function spoken(rows: readonly ClassRow[]): string[] {
  const byClass = [...Map.groupBy(rows, (row) => row.class)].toSorted(([, x], [, y]) => y.length - x.length);
  const sentences = byClass.slice(0, SPOKEN_OF).map(([name, [best, ...others]]) => {
    const how = `${best.layer}/${best.filter} is blank on ${percent(best.blankRate)} of its images and on ${percent(best.restBlankRate)} of the rest`;
    const filters = others.length === 0 ? '1 filter tells' : `${count(others.length + 1)} filters tell`;
    return `${filters} ${ending(printable(name), 40)} from the rest${others.length === 0 ? '' : ', most surely'}: ${how}.`;
  });
  const left = byClass.length - sentences.length;
  return left > 0
    ? [...sentences, `${count(left)} more ${left === 1 ? 'class is' : 'classes are'} told, too.`]
    : sentences;
}

function classTable(rows: readonly ClassRow[]): string {
  return renderTable(
    [
      { title: 'class', gives: 'shorten' },
      { title: 'filter' },
      { title: 'blank', align: 'right' },
      { title: 'on the rest', align: 'right' },
      { title: 'difference in points, 95 %', align: 'right' },
      { title: 'adjusted p', align: 'right' },
    ],
    rows.map((row) => [
      printable(row.class),
      `${row.layer}/${row.filter}`,
      percent(row.blankRate),
      percent(row.restBlankRate),
      pointsWithInterval(row.difference, row.low, row.high),
      probability(row.adjustedP),
    ]),
  );
}
