import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../../../../shared/data/", import.meta.url);

/** Real Outlook files, which lie beside the project where there are any: they are not ours to give away. */
export const outlookFiles = (): { name: string; path: string }[] => {
  const names = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith(".pst")) : [];
  return names.sort().map((name) => ({ name, path: fileURLToPath(new URL(name, FOLDER)) }));
};
