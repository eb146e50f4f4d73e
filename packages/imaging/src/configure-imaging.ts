import sharp from 'sharp';

/** The only readers there are: everything else that libvips was built with (drawings, documents, raw dumps) is blocked. */
const READERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`);

/**
 * Settings of the image library for the whole process; an app calls it once, before the first picture. One thread a
 * picture (pictures themselves run side by side), no cache of operations (no picture comes twice), wanted readers only.
 */
export function configureImaging(): void {
  sharp.concurrency(1);
  sharp.cache(false);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: READERS });
}
