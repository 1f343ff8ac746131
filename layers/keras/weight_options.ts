/**
 * Initializers, regularizers and constraints as tf.layers has them: names, instances, or what
 * model.json holds of them. Only TF.js's own layers can read and write all three forms, so two of
 * theirs, which are never built and hold no tensor, do it for us.
 */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../../src/check/errors';

type DenseArgs = Parameters<typeof tf.layers.dense>[0];
type NormArgs = NonNullable<Parameters<typeof tf.layers.layerNormalization>[0]>;

/**
 * Options of the weights; each takes what it takes in tf.layers.dense or layerNormalization. As
 * there, TF.js 4.22 applies a constraint where weights are set or loaded, but not in `fit`.
 * Regularizers and constraints: default none.
 */
export interface WeightArgs {
  /** Of all that ends in `/kernel`. Default `'glorotNormal'`. */
  kernelInitializer?: DenseArgs['kernelInitializer'] | null;
  /** A penalty of the same. Default none. */
  kernelRegularizer?: DenseArgs['kernelRegularizer'] | null;
  /** A rule that the same keep where they are set or loaded. Default none. */
  kernelConstraint?: DenseArgs['kernelConstraint'] | null;
  /** Of all that ends in `/bias`. Default `'zeros'`. */
  biasInitializer?: DenseArgs['biasInitializer'] | null;
  /** A penalty of the same. Default none. */
  biasRegularizer?: DenseArgs['biasRegularizer'] | null;
  /** A rule that the same keep where they are set or loaded. Default none. */
  biasConstraint?: DenseArgs['biasConstraint'] | null;
  /** Of `norm/gamma`. Default `'ones'`. */
  gammaInitializer?: NormArgs['gammaInitializer'] | null;
  /** A penalty of the same. Default none. */
  gammaRegularizer?: NormArgs['gammaRegularizer'] | null;
  /** Of `norm/beta`. Default `'zeros'`. */
  betaInitializer?: NormArgs['betaInitializer'] | null;
  /** A penalty of the same. Default none. */
  betaRegularizer?: NormArgs['betaRegularizer'] | null;
}

/** How the name of an option ends, and what such an option may be. */
const EXAMPLES = {
  Initializer: `'zeros' or tf.initializers.zeros()`,
  Regularizer: `'l1l2' or tf.regularizers.l2()`,
  Constraint: `'nonNeg' or tf.constraints.nonNeg()`,
};

type End = keyof typeof EXAMPLES;
type Kind = 'kernel' | 'bias' | 'gamma' | 'beta';

const ENDS = Object.keys(EXAMPLES) as End[];
const KINDS: Kind[] = ['kernel', 'bias', 'gamma', 'beta'];

export const WEIGHT_OPTIONS = KINDS.flatMap((kind) => ENDS.map((end) => `${kind}${end}`)).filter(
  (name) => !['gammaConstraint', 'betaConstraint'].includes(name), // layerNormalization has none
) as readonly (keyof WeightArgs)[];

type Initializer = ReturnType<typeof tf.initializers.zeros>;

/** What Layer.addWeight takes of the options of one kind of weight. */
export interface WeightMakers {
  initializer: Initializer;
  regularizer?: ReturnType<typeof tf.regularizers.l1>;
  constraint?: ReturnType<typeof tf.constraints.nonNeg>;
}

/** The options of the weights, read. */
export class WeightOptions {
  private readonly readers: tf.layers.Layer[];

  /** @throws if TF.js does not know what an option names */
  constructor(fn: string, args: WeightArgs) {
    for (const name of WEIGHT_OPTIONS) {
      try {
        readersOf({[name]: args[name]});
      } catch {
        const example = EXAMPLES[ENDS.find((end) => name.endsWith(end))!];
        fail(fn, `${name} must be what tf.layers.dense takes, such as ${example}`, args[name]);
      }
    }
    this.readers = readersOf(args);
  }

  private of(kind: Kind): WeightMakers {
    const fields: Record<string, unknown> = Object.assign({}, ...this.readers);
    const makers = ENDS.map((end) => [end.toLowerCase(), fields[kind + end] ?? undefined]);
    return Object.fromEntries(makers) as unknown as WeightMakers;
  }

  /**
   * Those of the parameter `name`, whose last part says its kind; a learned scale begins with ones.
   * An initializer without a seed of its own takes `seed`; null leaves it random.
   */
  named(name: string, seed: number | null): WeightMakers {
    const kind = KINDS.find((kind) => name === kind || name.endsWith(`/${kind}`));
    if (kind === undefined) return {initializer: tf.initializers.ones()};
    return seeded(this.of(kind), seed);
  }

  /** As model.json holds them. */
  getConfig(): tf.serialization.ConfigDict {
    const configs = Object.assign({}, ...this.readers.map((reader) => reader.getConfig()));
    return Object.fromEntries(WEIGHT_OPTIONS.map((name) => [name, configs[name] ?? null]));
  }
}

/** The makers, their initializer with this seed if it has none of its own; null leaves it random. */
export function seeded(makers: WeightMakers, seed: number | null): WeightMakers {
  const config = makers.initializer.getConfig();
  if (seed === null || config.seed != null) return makers;
  const Class = makers.initializer.constructor as new (config: unknown) => Initializer;
  return {...makers, initializer: new Class({...config, seed})};
}

function readersOf(args: WeightArgs): tf.layers.Layer[] {
  // named, so that they take no number from the names of the user's own layers
  const dense = tf.layers.dense({...(args as DenseArgs), units: 1, name: 'weight_options'});
  const norm = tf.layers.layerNormalization({...(args as NormArgs), name: 'weight_options'});
  return [dense, norm];
}
