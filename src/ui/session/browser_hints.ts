/** Which browser this is and what to do in it about missing WebGPU. Pure; what the page sees is handed in. */
import type { PageFacts } from "./api.ts";

export type BrowserName = "Chrome" | "Edge" | "Safari" | "Firefox" | "this browser";
export type PlatformName = "Windows" | "macOS" | "Linux" | "Android" | "iOS" | "ChromeOS" | "";

export interface Browser {
  name: BrowserName;
  /** Major version, or null. */
  version: number | null;
  platform: PlatformName;
}

type Seen = Pick<PageFacts, "userAgent" | "brands" | "platform">;

const versionAfter = (userAgent: string, mark: RegExp) => {
  const found = mark.exec(userAgent)?.[1];
  return found === undefined ? null : Number(found);
};

function platformOf({ userAgent, platform }: Seen): PlatformName {
  // Before macOS: these name it as well, and an iPad says that it is a Mac with a touch screen.
  if (/iPhone|iPad|iPod/.test(userAgent)) return "iOS";
  if (/Android/.test(userAgent)) return "Android";
  if (/CrOS/.test(userAgent)) return "ChromeOS";
  const text = `${platform} ${userAgent}`;
  if (/Win/.test(text)) return "Windows";
  if (/Mac/.test(text)) return "macOS";
  return /Linux|X11/.test(text) ? "Linux" : "";
}

export function browserOf(seen: Seen): Browser {
  const { userAgent, brands } = seen;
  const platform = platformOf(seen);
  const is = (brand: string) => brands.includes(brand);
  if (is("Microsoft Edge") || /Edg(e|A|iOS)?\//.test(userAgent))
    return { name: "Edge", version: versionAfter(userAgent, /Edg(?:e|A|iOS)?\/(\d+)/), platform };
  if (/Firefox\/|FxiOS\//.test(userAgent))
    return { name: "Firefox", version: versionAfter(userAgent, /(?:Firefox|FxiOS)\/(\d+)/), platform };
  const isOther = /OPR\/|SamsungBrowser\/|Vivaldi\/|YaBrowser\//.test(userAgent);
  if (!isOther && (is("Google Chrome") || is("Chromium") || /Chrome\/|CriOS\//.test(userAgent)))
    return { name: "Chrome", version: versionAfter(userAgent, /(?:Chrome|CriOS)\/(\d+)/), platform };
  if (!isOther && /Safari\//.test(userAgent))
    return { name: "Safari", version: versionAfter(userAgent, /Version\/(\d+)/), platform };
  return { name: "this browser", version: null, platform };
}

const LINUX_FLAGS =
  "start it with `--enable-unsafe-webgpu --enable-features=Vulkan`, or switch both on at chrome://flags, and restart";

/** `navigator.gpu` is missing in a secure page. */
export function noWebGpuHint({ name, version, platform }: Browser): string {
  if (platform === "iOS") return "Update to iOS 26 or newer: from then on every browser there has WebGPU";
  switch (name) {
    case "Chrome":
    case "Edge": {
      const least = platform === "Android" ? 121 : 113;
      if (version !== null && version < least) return `Update ${name}: WebGPU came with version ${least}`;
      if (platform === "Linux")
        return `${name} on Linux has WebGPU switched off on many machines: ${LINUX_FLAGS}`;
      return `Switch on "Use graphics acceleration when available" in ${name}'s settings under System, and restart it`;
    }
    case "Safari":
      return "Update to macOS 26 with Safari 26, or open the page in Chrome or Edge";
    case "Firefox":
      if (platform === "Windows") return "Update Firefox: WebGPU came with version 141 on Windows";
      if (platform === "macOS") return "Update Firefox to 145 or newer, or open the page in Chrome or Edge";
      return "Open the page in Chrome or Edge: Firefox has no WebGPU on this system unless `dom.webgpu.enabled` is set at about:config in Nightly";
    default:
      return "Open the page in a current Chrome or Edge, or in Safari 26";
  }
}

/** WebGPU is there, but it offers no adapter. */
export function noAdapterHint({ name, platform }: Browser): string {
  if (platform === "Linux" && (name === "Chrome" || name === "Edge"))
    return `Install the graphics card's Vulkan driver, then ${LINUX_FLAGS}; chrome://gpu tells what is blocked`;
  if (name === "Chrome" || name === "Edge")
    return `Switch on graphics acceleration in ${name}'s settings, update the graphics driver and restart; chrome://gpu tells what is blocked`;
  if (name === "Firefox")
    return "Update the graphics driver and restart; about:support tells what is blocked";
  return "Update the system and restart the browser, or try Chrome or Edge";
}

/** WebGPU is there on the page, but not in its workers, where the training runs. */
export function noWorkerGpuHint({ name }: Browser): string {
  return name === "this browser"
    ? "Open the page in a current Chrome or Edge"
    : `Update ${name}: older versions offer WebGPU to pages but not to their workers`;
}

/** The page came by plain http from elsewhere than this machine. */
export const INSECURE_HINT =
  "Open the page by its https:// address; without it browsers give pages neither WebGPU nor private files";
