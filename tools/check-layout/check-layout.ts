/** Most columns of a line. Biome wraps code, but neither comments, strings nor Markdown. */
const MAX_COLUMNS = 120;

/** Most files of its own that a folder of the app may have: more hide its stages. */
const MAX_FILES = 25;

/** Most lines of a file of the app, unless a decision says why it has more. */
const MAX_LINES = 300;

const isProse = (path: string): boolean => path.endsWith(".md");
const isCode = (path: string): boolean => /\.(ts|mjs|cjs)$/.test(path);

/** The text of a file by its path. */
export type TextOf = (path: string) => string;

/** What of the layout is not as it should be, a line each; `paths` are all files of the project. */
export const checkLayout = (paths: readonly string[], textOf: TextOf): string[] => [
  ...paths.filter((path) => isProse(path) || isCode(path)).flatMap((path) => longLines(path, textOf(path))),
  ...crowdedFolders(paths.filter((path) => path.startsWith("functions/"))),
  ...longFiles(paths, textOf),
];

/** What cannot be wrapped may be long: a URL, a row of a table, a line of an example, an import of one name. */
const longLines = (path: string, text: string): string[] => {
  let isExample = false;
  return text.split("\n").flatMap((line, index) => {
    if (isProse(path) && line.startsWith("```")) isExample = !isExample;
    const isUnbroken = /https?:\/\/\S+|^import .* from "[^"]+";$/.test(line);
    const mayBeLong = isExample || isUnbroken || (isProse(path) && line.startsWith("|"));
    if (mayBeLong || line.length <= MAX_COLUMNS) return [];
    return [`${path}:${index + 1}: ${line.length} columns, ${MAX_COLUMNS} at most`];
  });
};

const crowdedFolders = (paths: readonly string[]): string[] => {
  const files = new Map<string, number>();
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    files.set(folder, (files.get(folder) ?? 0) + 1);
  }
  return [...files]
    .filter(([, count]) => count > MAX_FILES)
    .map(([folder, count]) => `${folder}: ${count} files, ${MAX_FILES} at most: give its stages folders of their own`);
};

const longFiles = (paths: readonly string[], textOf: TextOf): string[] => {
  const decisions = paths.filter((path) => path.startsWith("docs/decisions/")).map(textOf);
  return paths
    .filter((path) => /^(functions|shared)\//.test(path) && isCode(path))
    .map((path) => ({ path, lines: textOf(path).split("\n").length - 1 }))
    .filter(({ path, lines }) => lines > MAX_LINES && !decisions.some((decision) => decision.includes(path)))
    .map(({ path, lines }) => `${path}: ${lines} lines, ${MAX_LINES} at most, unless a decision says why`);
};
