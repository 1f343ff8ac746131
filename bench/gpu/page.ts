/** What runs in the page: bundled by server.ts, called by chromium.ts. */
import '@tensorflow/tfjs-backend-webgpu';

import {answer, profile} from '../whole/page';
import {GpuCase, runGpuCase} from './case';
import {peers} from './peers';

declare global {
  interface Window {
    runCase(c: GpuCase): ReturnType<typeof runGpuCase>;
    say(text: string): void;
    answer: typeof answer;
    profile: typeof profile;
  }
}

window.runCase = (c) => runGpuCase(c, peers, window.say);
window.answer = answer;
window.profile = profile;
