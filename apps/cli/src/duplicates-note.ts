import type { RunSettings } from '@filterscope/runs/run-document';
import { count } from './format.ts';

/** @param duplicates more than 0 */
export function duplicatesNote(duplicates: number, { countDuplicates }: RunSettings): string {
  const [are, ones] = duplicates === 1 ? ['image has', 'one'] : ['images have', 'ones'];
  const same = `${count(duplicates)} ${are} the same bytes as an earlier one`;
  return countDuplicates === 'once'
    ? `${same} and ${duplicates === 1 ? 'is' : 'are'} in no statistic: the first ${ones} count, each in its own class.`
    : `${same}; each counts. --count-duplicates once counts only the first.`;
}
