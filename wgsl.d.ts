// Lets `import code from "….wgsl" with { type: "text" }` type-check; Deno loads it as is, Vite through wgsl.plugin.ts.
declare module "*.wgsl" {
  const code: string;
  export default code;
}
