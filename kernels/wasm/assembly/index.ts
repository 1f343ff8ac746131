export {clear, configure, configureDropout, configureRotary} from './problem';
export {attend, forwardScratch} from './forward';
export {attendBackward, backwardScratch} from './backward';
