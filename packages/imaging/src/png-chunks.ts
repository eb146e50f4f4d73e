/** Three times what 128 MB of pixels take in the small chunks that libpng writes. */
const MAX_CHUNKS = 50_000;

/**
 * Whether a PNG has more chunks than any encoder writes. libvips warns of every chunk that it cannot read, and sharp hands each
 * warning to the thread that it was called on: ten million empty ones stop it for minutes. Never throws.
 */
export function hasTooManyChunks(png: Uint8Array): boolean {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  let at = 8;
  for (let chunks = 0; at + 12 <= view.byteLength; chunks++) {
    if (chunks > MAX_CHUNKS) return true;
    at += 12 + view.getUint32(at);
  }
  return false;
}
