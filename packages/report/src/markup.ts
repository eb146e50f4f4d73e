import { printable } from '@filterscope/errors/printable';
import type { Nodes } from 'hast';
import { toHtml } from 'hast-util-to-html';

/**
 * A tree as text: a page, or with `svg` a picture's file, which is XML. The serialiser escapes what could be markup;
 * characters that no page and no XML may hold, or that turn the direction of text, are made printable first.
 */
export function markup(tree: Nodes, space: 'html' | 'svg' = 'html'): string {
  const text = toHtml(clean(tree), { space });
  return space === 'svg' ? text.replaceAll(']]>', ']]&gt;') : text; // which XML forbids in text
}

function clean(node: Nodes): Nodes {
  if (node.type === 'text') return { ...node, value: printable(node.value) };
  if (node.type === 'root') return { ...node, children: node.children.map(clean) as typeof node.children };
  if (node.type !== 'element' || node.tagName === 'style') return node;
  const properties = Object.entries(node.properties).map(([name, value]) => {
    return [name, typeof value === 'string' ? printable(value) : value] as const;
  });
  return {
    ...node,
    properties: Object.fromEntries(properties),
    children: node.children.map(clean) as typeof node.children,
  };
}
