import { rm } from "node:fs/promises";
import { build } from "esbuild";

/**
 * Bundles the app into dist/main.mjs. `@azure/functions-core` exists in the host's worker only, which supplies it to
 * `require`; some dependencies are CommonJS and need a `require` of their own.
 */
await rm(new URL("../dist/", import.meta.url), { recursive: true, force: true });
await build({
  absWorkingDir: new URL("..", import.meta.url).pathname,
  entryPoints: ["functions/index.ts"],
  outfile: "dist/main.mjs",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  minify: true,
  sourcemap: "linked",
  external: ["@azure/functions-core"],
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
