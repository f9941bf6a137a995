import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const SOURCE = fileURLToPath(new URL("strawman/", import.meta.url));

/** Builds the app for comparison into a folder, in the same way as the real one. */
export const buildStrawman = async (appDir: string): Promise<void> => {
  await build({
    entryPoints: [join(SOURCE, "index.ts")],
    outfile: join(appDir, "dist/main.mjs"),
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    minify: true,
    external: ["@azure/functions-core"],
    banner: {
      js:
        'import { createRequire as __createRequire } from "node:module"; ' +
        "const require = __createRequire(import.meta.url);",
    },
    logLevel: "warning",
  });
  for (const file of ["host.json", "package.json"]) await copyFile(join(SOURCE, file), join(appDir, file));
};
