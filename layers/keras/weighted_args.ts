import {LayerArgs, splitArgs, splitByName} from './layer_args';
import {StepSeeds} from './step_seeds';
import {WEIGHT_OPTIONS, WeightOptions} from './weight_options';

/** The arguments of a layer with weights, read: what every layer takes, its config, weights and seeds. */
export interface ReadArgs<Config> {
  base: LayerArgs;
  config: Config;
  weightOptions: WeightOptions;
  seeds: StepSeeds;
}

/** Reads them in the name of `fn`; `example` is one of the layer's own options, which `resolve` reads. */
export function readArgs<Options, Config>(
  fn: string,
  args: LayerArgs & {seed?: number | null},
  example: string,
  resolve: (fn: string, options: Options) => Config,
): ReadArgs<Config> {
  const {own, base} = splitArgs(fn, args, example);
  const {seed, ...rest} = own as {seed?: number | null};
  const [ofWeights, options] = splitByName(rest, WEIGHT_OPTIONS);
  const config = resolve(fn, options as Options);
  const weightOptions = new WeightOptions(fn, ofWeights);
  return {base, config, weightOptions, seeds: new StepSeeds(fn, seed ?? null)};
}
