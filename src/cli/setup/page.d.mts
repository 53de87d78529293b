export function isPageCommand(command: string | undefined): boolean;
export function runPage(
  command: string,
  words: readonly string[],
  context: { root: string; env: Record<string, string | undefined>; note(text: string): void },
): Promise<number>;
