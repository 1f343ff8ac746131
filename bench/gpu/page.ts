/** What runs in the page: bundled by server.ts, called by chromium.ts. */
import '@tensorflow/tfjs-backend-webgpu';

import {answer} from '../whole/page';
import {GpuCase, runGpuCase} from './case';
import {peers} from './peers';

declare global {
  interface Window {
    runCase(c: GpuCase): ReturnType<typeof runGpuCase>;
    say(text: string): void;
    answer: typeof answer;
  }
}

window.runCase = (c) => runGpuCase(c, peers, window.say);
window.answer = answer;
