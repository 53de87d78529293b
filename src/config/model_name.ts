/** What a recipe's `model` names: a policy that ships with the project, a model on the hub, or a folder. */

export type ModelName =
  | { kind: "builtin"; name: string }
  | { kind: "hub"; id: string; revision: string }
  | { kind: "folder"; path: string };

/** Reads `builtin:NAME`, `owner/name` or `owner/name@revision` (a hub id), or a folder's path or URL. */
export function readModelName(model: string): ModelName {
  const builtin = /^builtin:([\w.-]+)$/.exec(model);
  if (builtin) return { kind: "builtin", name: builtin[1] };
  const hub = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?$/.exec(model);
  if (hub) return { kind: "hub", id: hub[1], revision: hub[2] ?? "main" };
  return { kind: "folder", path: model };
}
