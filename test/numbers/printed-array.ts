/** A number that a print shows, with where in the array it stands. */
interface PrintedValue {
  readonly index: readonly number[];
  readonly value: number;
}

export interface PrintedArray {
  readonly shape: readonly number[];
  readonly values: readonly PrintedValue[];
}

/** The arrays in a text, each printed by numpy behind a line with its shape, in order. */
export function printedArrays(text: string): PrintedArray[] {
  const found = text.matchAll(/^\(([\d, ]+)\)\n(\[[-+.,e\d\s[\]]*\])$/gm);
  return Array.from(found, ([, sizes, print]) => {
    const shape = sizes.split(', ').map(Number);
    return { shape, values: valuesOf(tree(print), shape, []) };
  });
}

type Tree = readonly (Tree | number | '...')[];

function tree(print: string): Tree {
  const open: (Tree | number | '...')[][] = [[]];
  for (const token of print.match(/[[\]]|\.{3}|[^\s,[\]]+/g) ?? []) {
    if (token === '[') open.push([]);
    else if (token === ']') open.at(-2)!.push(open.pop()!);
    else open.at(-1)!.push(token === '...' ? token : Number(token));
  }
  return open[0][0] as Tree;
}

/** numpy prints the ends of a long axis with `...` between: what follows is counted from the end. */
function valuesOf(list: Tree, [size, ...inner]: readonly number[], outer: readonly number[]): PrintedValue[] {
  const dots = list.indexOf('...');
  const skipped = dots < 0 ? 0 : size - list.length;
  if (dots < 0 && list.length !== size) throw new Error(`${list.length} entries for an axis of ${size}`);
  return list.flatMap((item, i) => {
    if (item === '...') return [];
    const index = [...outer, dots >= 0 && i > dots ? i + skipped : i];
    return typeof item === 'number' ? [{ index, value: item }] : valuesOf(item, inner, index);
  });
}
