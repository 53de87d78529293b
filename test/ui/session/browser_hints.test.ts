import { describe, expect, it } from "vitest";
import { browserOf, noAdapterHint, noWebGpuHint } from "../../../src/ui/session/browser_hints.ts";

const seen = (userAgent: string, brands: string[] = [], platform = "") => ({ userAgent, brands, platform });
const AGENTS = {
  chromeLinux: seen(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    ["Google Chrome", "Chromium"],
    "Linux",
  ),
  edgeWindows: seen(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0",
    ["Microsoft Edge", "Chromium"],
    "Windows",
  ),
  safari: seen(
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
    [],
    "MacIntel",
  ),
  iphone: seen(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
    [],
    "iPhone",
  ),
  firefoxLinux: seen(
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    [],
    "Linux x86_64",
  ),
  firefoxWindows: seen(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    [],
    "Win32",
  ),
  oldAndroid: seen(
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0.0.0 Mobile Safari/537.36",
    ["Google Chrome"],
    "Android",
  ),
  opera: seen(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 OPR/115.0",
    ["Opera", "Chromium"],
    "Windows",
  ),
};

describe("browserOf()", () => {
  it.each([
    ["chromeLinux", "Chrome", 143, "Linux"],
    ["edgeWindows", "Edge", 143, "Windows"],
    ["safari", "Safari", 18, "macOS"],
    ["iphone", "Chrome", 140, "iOS"],
    ["firefoxLinux", "Firefox", 145, "Linux"],
    ["firefoxWindows", "Firefox", 128, "Windows"],
    ["oldAndroid", "Chrome", 110, "Android"],
    ["opera", "this browser", null, "Windows"],
  ] as const)("knows %s", (agent, name, version, platform) => {
    expect(browserOf(AGENTS[agent])).toEqual({ name, version, platform });
  });
});

describe("hints", () => {
  const hint = (agent: keyof typeof AGENTS) => noWebGpuHint(browserOf(AGENTS[agent]));
  it("name what to do in that very browser", () => {
    expect(hint("chromeLinux")).toMatch(/--enable-unsafe-webgpu/);
    expect(hint("edgeWindows")).toMatch(/graphics acceleration.*Edge/);
    expect(hint("safari")).toMatch(/Safari 26/);
    expect(hint("iphone")).toMatch(/iOS 26/);
    expect(hint("firefoxLinux")).toMatch(/Chrome or Edge.*Nightly/);
    expect(hint("firefoxWindows")).toMatch(/141/);
    expect(hint("oldAndroid")).toMatch(/Update Chrome.*121/);
    expect(hint("opera")).toMatch(/current Chrome/);
  });

  it("tell a missing adapter from missing WebGPU", () => {
    for (const agent of Object.keys(AGENTS) as (keyof typeof AGENTS)[]) {
      const browser = browserOf(AGENTS[agent]);
      expect(noAdapterHint(browser)).not.toBe(noWebGpuHint(browser));
    }
    expect(noAdapterHint(browserOf(AGENTS.chromeLinux))).toMatch(/Vulkan driver/);
  });
});
