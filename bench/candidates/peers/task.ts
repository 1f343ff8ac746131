import {Inputs, What, Workload} from '../../workloads';

/** What a peer is to compute. */
export interface Task {
  name: string;
  workload: Workload;
  inputs: Inputs;
  what: What;
  threads: number;
}
