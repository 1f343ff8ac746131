export {bind, bindGradients, compute, items, scratchBytes} from './items';
export {clear, configure, configureDropout, configureRotary} from './problem';
