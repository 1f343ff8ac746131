import type {LocalTransformerArgs} from 'tfjs-local-attention';

export interface ModelShape {
  /** Size of a position. */
  dim: number;
  heads: number;
  /** Number of blocks. */
  depth: number;
  /** Each block sees this many characters back, and the character itself. */
  window: number;
  seed: number;
  /** Of the attention; without it, the fastest. */
  implementation?: LocalTransformerArgs['implementation'];
}

/**
 * What localTransformer is told. Without absolute positions a model writes on without end, though it is
 * trained on texts of a hundred characters or so.
 */
export function transformerOptions(alphabetSize: number, shape: ModelShape): LocalTransformerArgs {
  const {dim, heads, depth, window, seed, implementation} = shape;
  return {
    numTokens: alphabetSize,
    absolutePositions: false,
    dim,
    depth,
    heads,
    dimHead: dim / heads,
    localAttnWindowSize: window,
    numResidualStreams: 1,
    seed,
    implementation,
  };
}
