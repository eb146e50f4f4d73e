import type { Engine, PreparedImage } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';

/** What checks of an engine work on: the network from its first layer on, as deep as the weights go. */
export interface EngineUnderTest {
  readonly engine: Engine;
  readonly weights: Weights;
  readonly layers: readonly ConvolutionLayer[];
  readonly image: PreparedImage;
}
