import { describe, expect, it, vi } from "vitest";
import { barLine, createBar } from "../../src/cli/bar.ts";
import { guardStream, readerLeft } from "../../src/cli/guarded_stream.ts";
import { createInterrupt } from "../../src/cli/interrupt.ts";
import { createOutput, showsColours } from "../../src/cli/output.ts";
import { formatTable } from "../../src/cli/table.ts";

function recorder(isTTY = false) {
  const written: string[] = [];
  return { written, isTTY, columns: 40, write: (text: string) => written.push(text) };
}

describe("formatTable()", () => {
  it("aligns columns, numbers to the right", () => {
    const rows = [
      ["rms_norm", "1.5e-7", "pass"],
      ["a", "0.25", "fail"],
    ];
    expect(formatTable(["case", "error", "result"], rows)).toBe(
      [
        "case       error  result",
        "--------  ------  ------",
        "rms_norm  1.5e-7  pass",
        "a           0.25  fail",
      ].join("\n"),
    );
  });

  it("wraps the last column and takes no rows", () => {
    expect(formatTable([], [["key", "one two three four five six seven"]], { indent: 2, maxWidth: 27 })).toBe(
      "  key  one two three four\n       five six seven",
    );
    expect(formatTable([], [])).toBe("");
    expect(formatTable(["a", "b"], [])).toBe("a  b\n-  -");
  });
});

describe("createBar()", () => {
  it("draws on a terminal only, and no more than ten times a second", () => {
    const [file, terminal] = [recorder(), recorder(true)];
    let time = 0;
    createBar(file, () => time).update(1, 2, "x");
    expect(file.written).toEqual([]);
    const bar = createBar(terminal, () => time);
    for (time = 0; time < 200; time += 10) bar.update(time, 1000, "eval");
    expect(terminal.written).toHaveLength(2);
    bar.update(1000, 1000, "eval");
    expect(terminal.written).toHaveLength(3);
    bar.clear();
    bar.clear();
    expect(terminal.written.at(-1)).toBe("\r\x1b[2K");
    expect(terminal.written).toHaveLength(4);
  });

  it("fits its line into the terminal", () => {
    expect(barLine(1, 2, "eval", 30)).toBe("eval [#########---------] 1/2");
    expect(barLine(5, 0, "eval", 12).length).toBeLessThan(12);
    expect(barLine(1, 2, "a long label that does not fit", 20).length).toBeLessThan(20);
  });
});

describe("createOutput()", () => {
  const make = (json: boolean, env = {}, terminal = false) => {
    const [stdout, stderr] = [recorder(terminal), recorder(terminal)];
    return { stdout, stderr, output: createOutput({ json, env, stdout, stderr }) };
  };

  it("keeps results on stdout and messages on stderr", () => {
    const { stdout, stderr, output } = make(false);
    output.print("result");
    output.stream("tok");
    output.event({ step: 1 });
    output.note("hello");
    expect(stdout.written).toEqual(["result\n", "tok"]);
    expect(stderr.written).toEqual(["hello\n"]);
  });

  it("puts nothing but JSON lines on stdout under --json", () => {
    const { stdout, stderr, output } = make(true);
    output.print("result");
    output.stream("tok");
    output.event({ step: 1, loss: Number.NaN });
    output.raw([1, 2]);
    output.note("hello");
    expect(stdout.written.map((line) => JSON.parse(line))).toEqual([{ step: 1, loss: null }, [1, 2]]);
    expect(stderr.written).toEqual(["hello\n"]);
  });

  it("paints on a terminal only, and not under NO_COLOR", () => {
    expect(make(false).output.paint("red", "x")).toBe("x");
    expect(make(false, {}, true).output.paint("red", "x")).toBe("\x1b[31mx\x1b[0m");
    expect(make(false, { NO_COLOR: "1" }, true).output.paint("red", "x")).toBe("x");
    expect(showsColours(recorder(true), { TERM: "dumb" })).toBe(false);
  });
});

describe("guardStream()", () => {
  const failing = (code: string, how: "throws" | "emits") => {
    const error = Object.assign(new Error(`write ${code}`), { code });
    let emit: (error: NodeJS.ErrnoException) => void = () => undefined;
    const write = vi.fn(() => {
      if (how === "throws") throw error;
      emit(error);
    });
    const onFailure = vi.fn();
    const stream = guardStream({ write, on: (_name, handler) => (emit = handler) }, onFailure);
    return { error, write, onFailure, stream };
  };

  it.each(["throws", "emits"] as const)("tells once of a stream that %s, drops the rest", async (how) => {
    const { error, write, onFailure, stream } = failing("ENOSPC", how);
    stream.write("a");
    stream.write("b");
    await stream.flushed();
    expect(write).toHaveBeenCalledOnce();
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(error);
    expect(stream.failure).toBe(error);
    expect(["EPIPE", "EIO", "ENOSPC"].map((code) => readerLeft(Object.assign(error, { code })))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("ends the wait for the last bytes when the stream fails meanwhile", async () => {
    let emit: (error: NodeJS.ErrnoException) => void = () => undefined;
    const on = (_name: "error", handler: typeof emit) => (emit = handler);
    const stream = guardStream({ write: () => true, on }, () => undefined);
    const flushed = stream.flushed();
    emit(Object.assign(new Error("gone"), { code: "EPIPE" }));
    await flushed;
  });
});

describe("createInterrupt()", () => {
  function setUp() {
    const handlers = new Map<string, () => void>();
    const exit = vi.fn();
    const note = vi.fn();
    const clock = { time: 0 };
    const interrupt = createInterrupt({
      listen: (name, handler) => {
        handlers.set(name, handler);
        return () => handlers.delete(name);
      },
      exit,
      note,
      now: () => clock.time,
    });
    return { handlers, exit, note, clock, interrupt };
  }

  it("asks to finish at the first signal and quits at the second", async () => {
    const { handlers, exit, note, clock, interrupt } = setUp();
    expect(interrupt.signal.aborted).toBe(false);
    handlers.get("SIGINT")!();
    await interrupt.requested;
    expect(interrupt.signal.aborted).toBe(true);
    expect(note).toHaveBeenCalledOnce();
    clock.time = 1000;
    handlers.get("SIGINT")!();
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it("finishes when the terminal is closed or the reader leaves, which never counts as a second signal", () => {
    const { handlers, exit, note, clock, interrupt } = setUp();
    interrupt.request();
    expect(interrupt.signal.aborted).toBe(true);
    clock.time = 1000;
    handlers.get("SIGHUP")!();
    interrupt.request();
    expect(exit).not.toHaveBeenCalled();
    expect(note).toHaveBeenCalledOnce();
    handlers.get("SIGINT")!();
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it("counts signals of one key press once, and stops listening", () => {
    const { handlers, exit, clock, interrupt } = setUp();
    handlers.get("SIGTERM")!();
    clock.time = 100;
    handlers.get("SIGINT")!();
    expect(exit).not.toHaveBeenCalled();
    interrupt.dispose();
    expect(handlers.size).toBe(0);
  });
});
