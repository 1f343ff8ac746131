export {adam} from './adam';
export {begin} from './call';
export {decode, decodeScratch} from './decode';
export {clearGradients, compute, items, scratchBytes} from './items';
export {map} from './maps';
export {normalize} from './normalize';
export {sums} from './sums';
export {combine, dots} from './token_rows';
export {transpose} from './transpose';
