import "./require-node.mjs";
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Stages what is deployed, and nothing else, in the folder package, or in the one that the first argument names, which
 * is emptied: the bundle, host.json, and a package.json without scripts and dependencies. With these the platform would
 * install and build again what is in the bundle already, and from files that are not there.
 *
 * A folder that holds anything else is refused with one line and exit code 2: it was named by mistake.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = resolve(process.argv[2] ?? join(root, "package"));

/** The last two are what azd's install leaves in it. */
const STAGED = ["dist", "host.json", "package.json", "package-lock.json", "node_modules"];

await mkdir(folder, { recursive: true });
const other = (await readdir(folder)).find((name) => !STAGED.includes(name));
if (other !== undefined) {
  console.error(`${folder} is not a staged package, since it holds ${other}: name another folder`);
  process.exit(2);
}
for (const name of STAGED) await rm(join(folder, name), { recursive: true, force: true });
await mkdir(join(folder, "dist"));
execFileSync(process.execPath, [join(root, "scripts/build.mjs"), join(folder, "dist")], { stdio: "inherit" });
await copyFile(join(root, "host.json"), join(folder, "host.json"));
const {
  name,
  version,
  private: isPrivate,
  type,
  main,
} = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
await writeFile(
  join(folder, "package.json"),
  `${JSON.stringify({ name, version, private: isPrivate, type, main }, undefined, 2)}\n`,
);
