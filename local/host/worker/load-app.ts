import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { toError } from "./app.ts";

/**
 * Loads the `main` of package.json, as a module or by `require`, chosen as in the real worker.
 * @throws with the app's own message when it cannot be loaded.
 */
export const loadApp = async (appDir: string): Promise<void> => {
  const { main, type } = readPackage(appDir);
  const path = join(appDir, main);
  if (!existsSync(path)) throw new Error(`${path} does not exist: build the app first`);
  try {
    if (path.endsWith(".mjs") || (type === "module" && !path.endsWith(".cjs"))) await import(pathToFileURL(path).href);
    else createRequire(path)(path);
  } catch (thrown) {
    throw new Error(`${main} cannot be loaded: ${toError(thrown).message}`, { cause: thrown });
  }
};

const readPackage = (appDir: string): { main: string; type: unknown } => {
  const path = join(appDir, "package.json");
  const { main, type }: { main?: unknown; type?: unknown } = JSON.parse(readFileSync(path, "utf8"));
  if (typeof main !== "string") throw new Error(`${path} has no "main"`);
  return { main, type };
};
