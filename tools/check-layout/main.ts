import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkLayout } from "./check-layout.ts";

/** Says what of the layout is not as it should be: long lines, long files, crowded folders. Exit code 1 for any. */
const root = fileURLToPath(new URL("../../", import.meta.url));
// A file that was removed and not yet committed is still listed.
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
});
const paths = tracked
  .split("\n")
  .filter((path) => path !== "" && !path.startsWith("test/fixtures/") && existsSync(`${root}${path}`));
const wrong = checkLayout(paths, (path) => readFileSync(`${root}${path}`, "utf8"));
for (const line of wrong) console.error(line);
if (wrong.length > 0) process.exitCode = 1;
