/** A case in a page of Chromium. */
import {inPath, launchChromium} from '../../scripts/chromium';
import type {Measured} from '../row';
import type {GpuCase} from './case';
import {serve} from './server';

/** A browser of its own, so that nothing of one case is left to another. @throws as runGpuCase, and if there is none in PATH */
export async function measureInChromium(
  c: GpuCase,
  say: (text: string) => void,
): Promise<Measured[]> {
  const executable = inPath('chromium');
  if (!executable)
    throw new Error('chromium is not installed, in which webgl and webgpu are measured.');
  const {address, server} = await serve();
  const {context, close} = await launchChromium(executable);
  try {
    const page = await context.newPage();
    const crashed = new Promise<never>((_, reject) =>
      page.once('crash', () => reject(new Error('the page crashed.'))),
    );
    await page.exposeFunction('say', say);
    await page.goto(address);
    return await Promise.race([page.evaluate((given) => window.runCase(given), c), crashed]);
  } finally {
    await close();
    server.close();
  }
}
