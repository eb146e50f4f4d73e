/** How a picture becomes a square: the published protocol's resize and centre crop, or stretched as a whole. */
export type Fit = 'crop' | 'stretch';

/** Height and width of the network's input, in pixels. */
export const PREPARED_SIZE = 224;

/** The shorter side before the crop (Simonyan & Zisserman's test scale, torchvision's `Resize(256)`). */
const CROP_RESIZE = 256;

export interface FitGeometry {
  /** Size in pixels to which the whole picture is resized. */
  readonly width: number;
  readonly height: number;
  /** Corner in the resized picture of the 224×224 square that is kept. */
  readonly left: number;
  readonly top: number;
}

/**
 * Where the 224×224 input comes from in an upright picture of `width` × `height` pixels. For `crop` the same integers
 * as torchvision's `Resize(256)`, `CenterCrop(224)`: the longer side is truncated, the corner rounded half to even.
 */
export function fitGeometry(width: number, height: number, fit: Fit): FitGeometry {
  if (fit === 'stretch') return { width: PREPARED_SIZE, height: PREPARED_SIZE, left: 0, top: 0 };
  const shorter = Math.min(width, height);
  const resized = {
    width: Math.trunc((CROP_RESIZE * width) / shorter),
    height: Math.trunc((CROP_RESIZE * height) / shorter),
  };
  return {
    ...resized,
    left: halfRoundedToEven(resized.width - PREPARED_SIZE),
    top: halfRoundedToEven(resized.height - PREPARED_SIZE),
  };
}

function halfRoundedToEven(value: number): number {
  const half = Math.floor(value / 2);
  return value % 2 === 0 ? half : half + (half % 2);
}
