import type { Element, ElementContent } from 'hast';
import { markup } from '../markup.ts';
import { s } from 'hastscript';

/** A drawing with its size in pixels, to be put into a page, another drawing, or a file. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly content: readonly ElementContent[];
}

/** Text of a figure; `className` from `figure-style.ts`. */
export const label = (x: number, y: number, className: string, text: string): Element =>
  s('text', { x: rounded(x), y: rounded(y), className: className.split(' ') }, text);

export const line = (className: string, x1: number, y1: number, x2: number, y2: number): Element =>
  s('path', {
    className: [className],
    d: `M${rounded(x1)} ${rounded(y1)}L${rounded(x2)} ${rounded(y2)}`,
  });

/** A drawing within another, moved. */
export const placed = (x: number, y: number, { content }: Drawing): Element =>
  s('g', { transform: `translate(${rounded(x)} ${rounded(y)})` }, ...content);

/** Hundredths of a pixel: no eye sees more, and files stay small. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;

/**
 * The `<svg>` element of a drawing, with a name and a description for those who cannot see it.
 * @param id unique within the page
 */
export function svgElement(
  { width, height, content }: Drawing,
  { id, title, description }: { readonly id: string; readonly title: string; readonly description: string },
): Element {
  return s(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${rounded(width)} ${rounded(height)}`,
      role: 'img',
      ariaLabelledBy: [`${id}-title`, `${id}-description`],
    },
    s('title', { id: `${id}-title` }, title),
    s('desc', { id: `${id}-description` }, description),
    ...content,
  );
}

/** An `<svg>` element as the text of a file. */
export const svgText = (svg: Element): string => markup(svg, 'svg');
