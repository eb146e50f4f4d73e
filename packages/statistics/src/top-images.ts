/**
 * The images on which each filter is strongest: `size` slots a filter, filter after filter, larger maximum first, with
 * equal maxima smaller row first. Slots without an image come last and hold 0 throughout; a blank filter's maximum
 * is 0, and so never takes a slot.
 */
export interface TopImages {
  readonly size: number;
  /** Maxima `[filter, slot]`. */
  readonly value: Float32Array;
  /** Manifest rows `[filter, slot]`. */
  readonly row: Uint32Array;
  /** Raster indices of the maxima `[filter, slot]`. */
  readonly position: Uint16Array;
}

/** Empty slots for `filters` filters. */
export function createTopImages(filters: number, size: number): TopImages {
  const slots = filters * size;
  return {
    size,
    value: new Float32Array(slots),
    row: new Uint32Array(slots),
    position: new Uint16Array(slots),
  };
}

/**
 * Puts an image into its filter's slots if it is among the strongest.
 * @param value the filter's maximum on the image; 0 changes nothing.
 * @returns whether it is.
 */
export function offerImage(
  top: TopImages,
  filter: number,
  value: number,
  row: number,
  position: number,
): boolean {
  if (value === 0 || top.size === 0) return false;
  const first = filter * top.size;
  let slot = first + top.size - 1;
  if (!goesBefore(top, slot, value, row, position)) return false;
  while (slot > first && goesBefore(top, slot - 1, value, row, position)) {
    top.value[slot] = top.value[slot - 1];
    top.row[slot] = top.row[slot - 1];
    top.position[slot] = top.position[slot - 1];
    slot--;
  }
  top.value[slot] = value;
  top.row[slot] = row;
  top.position[slot] = position;
  return true;
}

/** Offers every image of `from` to the same filter in `into`. */
export function mergeTopImages(into: TopImages, from: TopImages): void {
  for (let slot = 0; slot < from.value.length; slot++) {
    const filter = Math.floor(slot / from.size);
    offerImage(into, filter, from.value[slot], from.row[slot], from.position[slot]);
  }
}

/** One of a filter's strongest images. */
export interface TopImage {
  readonly row: number;
  readonly max: number;
  /** Raster index of the maximum. */
  readonly position: number;
}

/** The strongest images of one filter, strongest first. */
export function listTopImages(top: TopImages, filter: number): TopImage[] {
  const images: TopImage[] = [];
  for (let slot = filter * top.size; slot < (filter + 1) * top.size && top.value[slot] > 0; slot++) {
    images.push({ row: top.row[slot], max: top.value[slot], position: top.position[slot] });
  }
  return images;
}

/** The rows in all filters' lists, each once, in rising order. */
export function listedRows(top: TopImages): number[] {
  const rows = new Set<number>();
  for (let slot = 0; slot < top.row.length; slot++) if (top.value[slot] > 0) rows.add(top.row[slot]);
  return [...rows].toSorted((a, b) => a - b);
}

// The position decides between equal rows, which no run has, so that the order is total and merging cannot depend on it.
function goesBefore(top: TopImages, slot: number, value: number, row: number, position: number): boolean {
  if (value !== top.value[slot]) return value > top.value[slot];
  if (row !== top.row[slot]) return row < top.row[slot];
  return position < top.position[slot];
}
