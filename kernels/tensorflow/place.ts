/** The place of a call of the program on whole tensors of TF.js's tensorflow backend: in a memory of our own. */
import type {TensorInfo} from '@tensorflow/tfjs';

import {PrivatePlace} from '../program/memory';
import {readable} from '../program/values';
import type {NodeBackend} from './values';

export function enter(backend: unknown) {
  const node = backend as NodeBackend;
  return new PrivatePlace({
    read: ({dataId, dtype}) => readable(node.readSync(dataId), dtype),
    make(shape, values): TensorInfo {
      return {dataId: node.write(values.slice(), shape, 'float32'), shape, dtype: 'float32'};
    },
    drop: ({dataId}) => void node.disposeData(dataId),
  });
}
