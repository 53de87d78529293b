/**
 * Keeps a run's folder to one process: two that train into it would mix their rows and sweep away each other's
 * checkpoints. The system drops the lock with the process, however that ends. Deno only: Node has no locks on files.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";

const LOCK = "run.lock";

interface LockFile {
  tryLockSync(exclusive: boolean): boolean;
  statSync(): { ino: number | null };
  close(): void;
}

/** The part of Deno that is needed; its types are not among the project's. */
interface LockingRuntime {
  openSync(path: string, options: { write: true; create: true }): LockFile;
  statSync(path: string): { ino: number | null };
}

/** One folder at a time; it is free again at the end of the block (`using`). */
export class RunLock implements Disposable {
  private held: { file: LockFile; path: string } | null = null;

  /**
   * Takes a folder. Where a lock cannot be placed (no such folder, read-only, a network share without locks) the run goes
   * on without: what is wrong with the folder is told by what is done there next.
   * @param make makes the folder where there is none
   * @throws DataError `runs/in-use`
   */
  take(folder: string, make = false): void {
    this.release();
    const runtime = (globalThis as { Deno?: LockingRuntime }).Deno;
    const path = join(folder, LOCK);
    let locked: boolean;
    let file: LockFile | undefined;
    try {
      if (make) mkdirSync(folder, { recursive: true });
      file = runtime?.openSync(path, { write: true, create: true });
      if (!runtime || !file) return;
      // Whoever held it takes the file away at the end: a lock on a file that is no longer there keeps nobody out.
      locked = file.tryLockSync(true) && runtime.statSync(path).ino === file.statSync().ino;
    } catch {
      file?.close();
      return;
    }
    if (locked) {
      this.held = { file, path };
      return;
    }
    file.close();
    throw new DataError("runs/in-use", `Cannot train in ${folder}: another process trains there`, {
      hint: "Wait until it ends or stop it, or name another folder with --out",
    });
  }

  release(): void {
    if (!this.held) return;
    const { file, path } = this.held;
    this.held = null;
    rmSync(path, { force: true });
    file.close();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
