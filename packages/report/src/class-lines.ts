import type { Accumulator } from '@filterscope/statistics/accumulator';

/** How blank the layers are on the images of one class. */
export interface ClassLine {
  readonly name: string;
  readonly images: number;
  /** Mean blank rate of a layer's filters over the images of the class, a fraction, `[layer]`. */
  readonly blankRates: readonly number[];
}

/** A line a class that has images, most images first. @param names the run's class list */
export function classLines({ layers, classes }: Accumulator, names: readonly string[]): ClassLine[] {
  const lines = [...classes].map(([classId, { images, blank }]) => {
    let filter = 0;
    const blankRates = layers.map(({ filters }) => {
      let sum = 0;
      for (const end = filter + filters; filter < end; filter++) sum += blank[filter];
      return sum / (filters * images);
    });
    return { name: names[classId], images, blankRates };
  });
  return lines.toSorted((a, b) => b.images - a.images || (a.name < b.name ? -1 : 1));
}
