/** The browser's locks, as far as they are used here. */
export function fakeLocks() {
  const held = new Set<string>();
  return {
    held,
    async request(name: string, _options: unknown, use: (lock: unknown) => unknown) {
      if (held.has(name)) return use(null);
      held.add(name);
      try {
        return await use({ name });
      } finally {
        held.delete(name);
      }
    },
    query: async () => ({ held: [...held].map((name) => ({ name })) }),
  };
}
