export {begin} from './call';
export {clearGradients, compute, items, scratchBytes} from './items';
