import "./require-node.mjs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { build } from "esbuild";

/**
 * Bundles the app into dist/main.mjs, or into main.mjs of the folder that the first argument names, which is emptied.
 * `@azure/functions-core` exists in the host's worker only, which supplies it to `require`; some dependencies are
 * CommonJS and need a `require` of their own.
 */
const root = new URL("..", import.meta.url).pathname;
const outdir = resolve(process.argv[2] ?? `${root}dist`);

/**
 * What stands in for libraries of which the app needs a part: durable-functions checks URLs, and sends no files in
 * forms; storage-blob lists blobs as XML.
 */
const PARTS = { validator: "validator.mjs", "mime-db": "mime-db.json", "apache-arrow": "apache-arrow.mjs" };

const parts = {
  name: "parts",
  setup: ({ onResolve }) =>
    onResolve({ filter: new RegExp(`^(${Object.keys(PARTS).join("|")})$`) }, ({ path }) => ({
      path: `${root}scripts/bundle/${PARTS[path]}`,
    })),
};

await rm(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ["functions/index.ts"],
  outfile: `${outdir}/main.mjs`,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "esm",
  minify: true,
  sourcemap: "linked",
  external: ["@azure/functions-core"],
  plugins: [parts],
  banner: {
    js: [
      'import { createRequire as __createRequire } from "node:module";',
      "const require = __createRequire(import.meta.url);",
    ].join(" "),
  },
  logLevel: "warning",
});
