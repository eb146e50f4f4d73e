import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { FilterSummary } from '@filterscope/statistics/summary';

const MEASURES = {
  zeros: 'zeroShare',
  'zeros.low': 'zeroShareLow',
  'zeros.high': 'zeroShareHigh',
  blank: 'blankRate',
  'blank.low': 'blankRateLow',
  'blank.high': 'blankRateHigh',
} as const satisfies Record<string, keyof FilterSummary>;
type Measure = keyof typeof MEASURES;

const COMPARISONS = {
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
};
type Comparison = keyof typeof COMPARISONS;

/** Which filters to drop. */
export type PruningRule =
  | { readonly kind: 'dead' }
  | {
      readonly kind: 'measure';
      readonly measure: Measure;
      readonly comparison: Comparison;
      readonly share: number;
    }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly PruningRule[] };

/** What `blank` alone stands for: on more images than not. */
const MOSTLY_BLANK: PruningRule = { kind: 'measure', measure: 'blank', comparison: '>', share: 0.5 };

const TOKEN = /\s*(?:(\d*\.?\d+%?)|([a-z.]+)|(>=|<=|[<>()]))/iy;

interface Token {
  readonly text: string;
  readonly at: number;
}

/**
 * Reads a rule: `dead`, `blank` (short for `blank > 0.5`), comparisons of `zeros`, `blank` and the ends of their intervals
 * (`zeros.low`, `zeros.high`) with a share (`0.9` or `90%`), joined by `and`, which binds closer, `or` and brackets.
 * @throws FilterscopeError `bad-rule` with a caret below what is wrong.
 */
export function parsePruningRule(text: string): PruningRule {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = () => tokens[next] ?? { text: '', at: text.trimEnd().length };
  const take = (...wanted: string[]) => {
    if (!wanted.includes(peek().text)) return undefined;
    return tokens[next++].text;
  };
  const wrong = (what: string, at = peek().at) => ruleError(text, at, what);

  const joined = (kind: 'and' | 'or', part: () => PruningRule): PruningRule => {
    const parts = [part()];
    while (take(kind)) parts.push(part());
    return parts.length === 1 ? parts[0] : { kind, parts };
  };
  const any = () => joined('or', () => joined('and', term));
  const term = (): PruningRule => {
    if (take('(')) {
      const inner = any();
      if (!take(')')) throw wrong('a closing bracket is missing here');
      return inner;
    }
    if (take('dead')) return { kind: 'dead' };
    const measure = (Object.keys(MEASURES) as Measure[]).find((name) => take(name));
    if (!measure) throw wrong(`expected dead, ${Object.keys(MEASURES).join(', ')} or an opening bracket`);
    const comparison = (Object.keys(COMPARISONS) as Comparison[]).find((name) => take(name));
    if (!comparison && measure === 'blank') return MOSTLY_BLANK;
    if (!comparison) throw wrong(`expected a comparison, such as ${measure} > 0.9`);
    return { kind: 'measure', measure, comparison, share: share() };
  };
  const share = (): number => {
    const { text: number, at } = peek();
    if (!/^[\d.]/.test(number)) throw wrong('expected a share, such as 0.9 or 90%');
    next++;
    const value = Number(number.replace('%', 'e-2'));
    if (value >= 0 && value <= 1) return value;
    throw wrong('a share is from 0 to 1; write 90% or 0.9', at);
  };

  const rule = any();
  if (next < tokens.length) throw wrong('expected and, or, or the end');
  return rule;
}

/** The rule as text that reads back as the same rule. */
export function formatPruningRule(rule: PruningRule): string {
  if (rule.kind === 'dead') return 'dead';
  if (rule.kind === 'measure') return `${rule.measure} ${rule.comparison} ${rule.share}`;
  return rule.parts
    .map((part) =>
      part.kind === 'and' || part.kind === 'or' ? `(${formatPruningRule(part)})` : formatPruningRule(part),
    )
    .join(` ${rule.kind} `);
}

/** Whether a rule drops a filter. What is not known, such as an interval of one image, drops none. */
export function drops(rule: PruningRule, filter: FilterSummary): boolean {
  if (rule.kind === 'dead') return filter.dead;
  if (rule.kind === 'measure') {
    const value = filter[MEASURES[rule.measure]];
    return value !== null && COMPARISONS[rule.comparison](value, rule.share);
  }
  const ofPart = (part: PruningRule) => drops(part, filter);
  return rule.kind === 'and' ? rule.parts.every(ofPart) : rule.parts.some(ofPart);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let from = 0; from < text.trimEnd().length; from = TOKEN.lastIndex) {
    TOKEN.lastIndex = from;
    const match = TOKEN.exec(text);
    if (!match)
      throw ruleError(text, from + /^\s*/.exec(text.slice(from))![0].length, 'this is no part of a rule');
    const token = match[0].trimStart();
    tokens.push({ text: token.toLowerCase(), at: TOKEN.lastIndex - token.length });
  }
  return tokens;
}

function ruleError(text: string, at: number, what: string): FilterscopeError {
  const line = text.replaceAll(/\s/g, ' ');
  return new FilterscopeError(
    'bad-rule',
    `the rule cannot be read: ${what}\n  ${line}\n  ${' '.repeat(at)}^`,
  );
}
