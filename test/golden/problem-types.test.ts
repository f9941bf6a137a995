import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makersOf, makingModule, problemTypes, textsOf } from "./problem-types.ts";
import { appSources } from "./sources.ts";

const module = makingModule(await textsOf(await appSources()));
const [maker = ""] = await makersOf(module);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "problem-types-"));
});
afterAll(() => rm(dir, { recursive: true }));

/** The types of a file that imports the maker, beside those of its module. */
const typesOf = async (text: string, imports = `{ ${maker} }`): Promise<string[]> => {
  const file = join(dir, "a-handler.ts");
  await writeFile(file, `import ${imports} from "./${relative(dir, module)}";\n${text}\n`);
  return (await problemTypes([file, module])).filter((type) => !type.endsWith(" invalid-request"));
};

describe("the types of problems", () => {
  test.each<[text: string, types: string[], imports?: string]>([
    [`export const a = ${maker}(404, "not-here", "Go.");`, ["404 not-here"]],
    [`export const a = made(404, "not-here", "Go.");`, ["404 not-here"], `{ ${maker} as made }`],
    [`export const a = (b: boolean) => ${maker}(409, b ? "this" : "that", "Go.");`, ["409 that", "409 this"]],
    [`export const a = (b: number) => ${maker}(b, "this", "Go.");`, ["any this"]],
    [
      `const no = (kind: string) => ({ no: ${maker}(404, kind, "") });\nexport const a = [no("x"), no("y")];`,
      ["404 x", "404 y"],
    ],
    [`export const a = { ${maker}: 1 }.${maker};`, []],
  ])("are read from %j", async (text, types, imports) => {
    expect(await typesOf(text, imports)).toEqual(types);
  });

  test.each<[text: string, imports?: string]>([
    [`export const a = (kind: string) => ${maker}(404, kind, "Go.");`],
    [`export const a = [404].map(${maker});`],
    [`export const a = { ${maker} };`],
    [`const again = ${maker};\nexport const a = again(404, "not-here", "Go.");`],
    [`export const a = ${maker}(...args);`],
    [`export const a = all.${maker}(404, "not-here", "Go.");`, "* as all"],
    [`const no = (kind: string) => ${maker}(404, kind, "");\nexport const a = ["x"].map(no);`],
    [`export { ${maker} };`],
  ])("are not passed over in silence where they cannot be read, as in %j", async (text, imports) => {
    await expect(typesOf(text, imports)).rejects.toThrow("a-handler.ts");
  });

  test("are made in one module: another one that writes them itself is refused", async () => {
    const other = join(dir, "another.ts");
    await writeFile(other, 'export const a = { type: "/problems/of-my-own" };\n');

    await expect(problemTypes([module, other])).rejects.toThrow("One module");
  });
});
