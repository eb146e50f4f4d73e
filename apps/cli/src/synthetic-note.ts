/** Said wherever numbers or pictures of the synthetic network are shown. */
export const syntheticNote = (): string =>
  'SYNTHETIC WEIGHTS: a made-up network for trying things out; its numbers mean nothing for VGG16.';
