import { readFileSync } from 'node:fs';

/** The part of a page of `docs/` below a heading that begins with these words, up to the next heading of its rank. */
export function section(page: string, heading: string): string {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const found = text.split(/^## /m).find((part) => part.startsWith(heading));
  if (found === undefined) throw new Error(`docs/${page} has no section "${heading}"`);
  return found;
}

/** The blocks of code of a language in a section. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code);
}

/** The first table in a section: its rows' cells, without head and backticks. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|---'));
  const rows = lines.slice(start + 1);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`|`$/g, '')),
  );
}
