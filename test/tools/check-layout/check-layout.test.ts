import { describe, expect, test } from "vitest";
import { checkLayout } from "../../../tools/check-layout/check-layout.ts";

const check = (files: Readonly<Record<string, string>>) => checkLayout(Object.keys(files), (path) => files[path] ?? "");

const LONG = "x ".repeat(61);

describe("the layout", () => {
  test.each([
    ["a comment", "shared/a.ts", `// ${LONG}`],
    ["a paragraph", "docs/a.md", LONG],
  ])("takes no line of %s over 120 columns, and says where it is", (_, path, line) => {
    expect(check({ [path]: `short\n${line}\n` })).toEqual([`${path}:2: ${line.length} columns, 120 at most`]);
    expect(check({ [path]: `${line.slice(0, 120)}\n` })).toEqual([]);
  });

  test("takes what cannot be wrapped: tables, examples, and lines with a URL", () => {
    expect(
      check({ "docs/a.md": `| ${LONG} |\n`, "shared/a.ts": `/** Source: https://example.org/${"x".repeat(99)} */\n` }),
    ).toEqual([]);
    expect(check({ "docs/a.md": `\`\`\`json\n${LONG}\n\`\`\`\n` })).toEqual([]);
    expect(check({ "docs/a.md": `\`\`\`json\n\`\`\`\n${LONG}\n` })).toHaveLength(1);
    expect(check({ "shared/a.ts": `| ${LONG} |\n` })).toHaveLength(1);
  });

  test("takes 25 files in a folder of the app, those of its folders not counted", () => {
    const files = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`functions/a/${n}.ts`, ""]));

    expect(check({ ...files(25), "functions/a/b/1.ts": "" })).toEqual([]);
    expect(check(files(26))).toEqual([expect.stringMatching(/^functions\/a: 26 files/)]);
  });

  test("takes 300 lines in a file of the app, and more where a decision names it", () => {
    const long = "x\n".repeat(301);

    expect(check({ "shared/a.ts": "x\n".repeat(300), "test/a.test.ts": long })).toEqual([]);
    expect(check({ "shared/a.ts": long })).toEqual([expect.stringMatching(/^shared\/a.ts: 301 lines/)]);
    expect(check({ "shared/a.ts": long, "docs/decisions/1.md": "shared/a.ts is long, since" })).toEqual([]);
  });
});
