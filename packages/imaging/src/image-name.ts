/**
 * Extensions that mark a key as an image. Wider than what can be decoded: a picture in a format that is refused must
 * appear among the failures as `unsupported-format`, not vanish among the skipped. Icons, camera raw files, PDF and
 * layered documents (psd) are not counted as photos of a dataset and are skipped.
 */
const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'jpg jpeg jpe jfif pjpeg pjp png apng webp gif tif tiff avif ' +
    'bmp dib jp2 j2k j2c jpc jpf jpx heic heif svg svgz jxl ppm pgm pbm pnm'
  ).split(' '),
);

/** Whether the last part of a key (separated by `/`) has an image extension, in any case. `.jpg` alone is no name. */
export function hasImageName(key: string): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot > 0 && IMAGE_EXTENSIONS.has(name.slice(dot + 1).toLowerCase());
}
