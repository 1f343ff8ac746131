/** What runs in the page: bundled by chromium.ts, which calls `runCase`. */
import '@tensorflow/tfjs-backend-webgpu';

import {GpuCase, runGpuCase} from './case';
import {peers} from './peers';

declare global {
  interface Window {
    runCase(c: GpuCase): ReturnType<typeof runGpuCase>;
    say(text: string): void;
  }
}

window.runCase = (c) => runGpuCase(c, peers, window.say);
