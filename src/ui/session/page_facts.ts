/** What the page's thread sees of its browser. */
import type { PageFacts } from "./api.ts";

interface BrandedNavigator {
  userAgentData?: { brands: { brand: string }[]; platform: string };
  gpu?: unknown;
  wakeLock?: unknown;
}

export function pageFacts(): PageFacts {
  const { userAgentData, gpu, wakeLock } = navigator as unknown as BrandedNavigator;
  return {
    userAgent: navigator.userAgent,
    brands: userAgentData?.brands.map(({ brand }) => brand) ?? [],
    platform: userAgentData?.platform ?? navigator.platform,
    secure: isSecureContext,
    isolated: crossOriginIsolated,
    webgpu: gpu !== undefined,
    hidden: document.visibilityState === "hidden",
    wakeLock: wakeLock !== undefined,
  };
}
