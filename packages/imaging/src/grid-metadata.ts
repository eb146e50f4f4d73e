import sharp from 'sharp';

/** What a grid's file says of itself. */
export interface GridMetadata {
  /** Keras name of the layer. */
  readonly layer: string;
  /** `filter`, `layer`, `tile` or `chollet`: what 255 stands for. */
  readonly style: string;
  /** SHA-256 of the weights, hexadecimal. */
  readonly weights: string;
  /** Id of the run. */
  readonly run: string;
  /** The image's key below the dataset's URL. */
  readonly image: string;
  /** Share of the layer's positions above their reference, 0 … 1; absent where the style has no reference. */
  readonly clippedShare?: number;
  /** True for pictures of the made-up network; absent otherwise. */
  readonly synthetic?: true;
}

const IMAGE_DESCRIPTION = 0x010e;

/** EXIF's ImageDescription of a grid: JSON in printable ASCII, as that field is not defined for anything else. */
export function describeGrid(metadata: GridMetadata): string {
  return JSON.stringify(metadata).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Reads back what `encodeGrid` wrote into a file; undefined for a picture that does not say it. Never throws. */
export async function readGridMetadata(file: Uint8Array): Promise<GridMetadata | undefined> {
  try {
    const { exif } = await sharp(file).metadata();
    return exif === undefined ? undefined : parseDescription(imageDescription(exif));
  } catch {
    return undefined;
  }
}

/** The field's text in an EXIF block, which is a TIFF directory; JPEG puts `Exif\0\0` before it. */
function imageDescription(exif: Uint8Array): string {
  const all = Buffer.from(exif.buffer, exif.byteOffset, exif.byteLength);
  const tiff = all.toString('latin1', 0, 4) === 'Exif' ? all.subarray(6) : all;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const u16 = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = u32(4);
  for (let i = 0; i < u16(directory); i++) {
    const entry = directory + 2 + i * 12;
    if (u16(entry) !== IMAGE_DESCRIPTION) continue;
    const length = u32(entry + 4);
    const at = length <= 4 ? entry + 8 : u32(entry + 8);
    return tiff.toString('latin1', at, at + length - 1); // less the closing zero
  }
  return '';
}

function parseDescription(text: string): GridMetadata | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const { layer, style, weights, run, image, clippedShare, synthetic } = fields;
  if (typeof layer !== 'string' || typeof style !== 'string' || typeof weights !== 'string') return undefined;
  if (typeof run !== 'string' || typeof image !== 'string') return undefined;
  return {
    layer,
    style,
    weights,
    run,
    image,
    ...(typeof clippedShare === 'number' && { clippedShare }),
    ...(synthetic === true && { synthetic }),
  };
}
