/** Wakes one waiter; a notification that comes first is kept, a failure is thrown from every later wait. */
export class Signal {
  private pending = false;
  private failure: { error: unknown } | null = null;
  private wake: (() => void) | null = null;

  notify(): void {
    this.pending = true;
    this.wake?.();
  }

  fail(error: unknown): void {
    this.failure ??= { error };
    this.notify();
  }

  /** Resolves at the next notification, at once if one has come since the last wait. @throws what `fail` was given. */
  async wait(timeoutMs?: number): Promise<void> {
    if (!this.pending) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        if (timeoutMs !== undefined) timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
      this.wake = null;
    }
    this.pending = false;
    if (this.failure) throw this.failure.error;
  }
}
