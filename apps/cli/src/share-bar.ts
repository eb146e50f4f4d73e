import { styleText } from 'node:util';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * A share as a bar, resolved to an eighth of a character, on a ground of dots.
 * @param mark a second share, drawn as a line across the bar
 */
export function shareBar(share: number | null, width: number, mark?: number): string {
  if (share === null) return '·'.repeat(width);
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8);
  const filled = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  const cells = Array.from(filled.padEnd(width, '·'));
  if (mark !== undefined) cells[Math.min(Math.floor(mark * width), width - 1)] = '┃';
  return cells
    .map((cell) => (cell === '┃' ? styleText('yellow', cell, { stream: process.stdout }) : cell))
    .join('');
}
