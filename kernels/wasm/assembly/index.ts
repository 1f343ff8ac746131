export {clear, configure, configureDropout, configureRotary, contextLength} from './problem';
export {attend, forwardScratch} from './forward';
export {attendBackward, backwardScratch} from './backward';
