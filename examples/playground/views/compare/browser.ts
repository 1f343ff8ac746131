/** The browser's name and version, as it tells them. */

export interface Brand {
  brand: string;
  version: string;
}

/** As user agents have them, and as people do; those that call themselves Chrome as well come first. */
const AGENTS = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['Firefox', 'Firefox'],
  ['Chrome', 'Chrome'],
] as const;

/** From the brands where there are some, otherwise from the user agent. */
export function browserOf(userAgent: string, brands: readonly Brand[] = []): string {
  const real = brands.filter(({brand}) => !/not.?a.?brand/i.test(brand));
  const named = real.find(({brand}) => brand !== 'Chromium') ?? real[0];
  if (named) return `${named.brand} ${named.version}`;
  for (const [agent, name] of AGENTS) {
    const version = new RegExp(`${agent}/(\\d+)`).exec(userAgent);
    if (version) return `${name} ${version[1]}`;
  }
  const safari = /Version\/([\d.]+).* Safari\//.exec(userAgent);
  return safari ? `Safari ${safari[1]}` : 'an unknown browser';
}

export function thisBrowser(): string {
  const {userAgentData} = navigator as {userAgentData?: {brands: Brand[]; platform: string}};
  const platform = userAgentData?.platform || navigator.platform;
  return `${browserOf(navigator.userAgent, userAgentData?.brands)}, ${platform}`;
}
