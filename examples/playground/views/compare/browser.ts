/** The browser's name and version, as it tells them. */

export interface Brand {
  brand: string;
  version: string;
}

/** From the brands where there are some, otherwise from the user agent. */
export function browserOf(userAgent: string, brands: readonly Brand[] = []): string {
  const real = brands.filter(({brand}) => !/not.?a.?brand/i.test(brand));
  const named = real.find(({brand}) => brand !== 'Chromium') ?? real[0];
  if (named) return `${named.brand} ${named.version}`;
  const safari = /Version\/([\d.]+).* Safari\//.exec(userAgent);
  const other = /(Firefox|Edg|OPR|Chrome|HeadlessChrome)\/(\d+)/.exec(userAgent);
  if (other) return `${other[1]} ${other[2]}`;
  return safari ? `Safari ${safari[1]}` : 'an unknown browser';
}

export function thisBrowser(): string {
  const {userAgentData} = navigator as {userAgentData?: {brands: Brand[]; platform: string}};
  const platform = userAgentData?.platform || navigator.platform;
  return `${browserOf(navigator.userAgent, userAgentData?.brands)}, ${platform}`;
}
