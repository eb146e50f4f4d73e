/** A picture `[row, column, channel]` of three channels. */
interface Picture {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

/**
 * Antialiased bilinear resizing in floating point, written after Pillow's `precompute_coeffs` with the triangle filter:
 * the reference that the published protocol means.
 */
export function triangleResize(picture: Picture, width: number, height: number): Float64Array {
  const columns = weights(picture.width, width);
  const rows = weights(picture.height, height);
  const narrow = new Float64Array(picture.height * width * 3);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < width; x++) {
      const { first, share } = columns[x];
      for (let i = 0; i < share.length; i++) {
        const from = (y * picture.width + first + i) * 3;
        for (let c = 0; c < 3; c++) narrow[(y * width + x) * 3 + c] += share[i] * picture.data[from + c];
      }
    }
  }
  const resized = new Float64Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    const { first, share } = rows[y];
    for (let i = 0; i < share.length; i++) {
      const from = (first + i) * width * 3;
      for (let x = 0; x < width * 3; x++) resized[y * width * 3 + x] += share[i] * narrow[from + x];
    }
  }
  return resized;
}

function weights(from: number, to: number): { first: number; share: number[] }[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, i) =>
      Math.max(0, 1 - Math.abs((first + i + 0.5 - centre) / support)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, share: raw.map((weight) => weight / sum) };
  });
}
