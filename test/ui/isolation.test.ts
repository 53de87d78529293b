import { describe, expect, it, vi } from "vitest";
import { isolate, isolationPlan } from "../../src/ui/isolation.ts";

const bare = { isolated: false, secure: true, hasServiceWorkers: true, query: "", tried: false };

describe("isolationPlan", () => {
  it("registers the service worker once, where the server sent no headers", () => {
    expect(isolationPlan(bare)).toBe("register");
    expect(isolationPlan({ ...bare, tried: true })).toBe("give-up");
  });

  it("does nothing where the page is isolated or the user does not want it", () => {
    expect(isolationPlan({ ...bare, isolated: true })).toBe("nothing");
    expect(isolationPlan({ ...bare, query: "?hide=chat&isolate=no" })).toBe("nothing");
  });

  it("gives up where there are no service workers", () => {
    expect(isolationPlan({ ...bare, secure: false })).toBe("give-up");
    expect(isolationPlan({ ...bare, hasServiceWorkers: false })).toBe("give-up");
  });
});

describe("isolate()", () => {
  it("gives up where the site may store nothing, and loads nothing again", async () => {
    const reload = vi.fn();
    vi.stubGlobal("crossOriginIsolated", false);
    vi.stubGlobal("isSecureContext", true);
    vi.stubGlobal("location", { search: "", reload });
    vi.stubGlobal("navigator", { serviceWorker: { register: reload } });
    const refuse = () => {
      throw new DOMException("Access is denied for this document", "SecurityError");
    };
    vi.stubGlobal("sessionStorage", { getItem: refuse, setItem: refuse });
    expect(await isolate()).toBe("give-up");
    expect(reload).not.toHaveBeenCalled();
    vi.unstubAllGlobals();
  });
});
