import { describe, expect, test } from "vitest";
import { textOf, valueAt } from "../../../tools/check-infra/bicep/ast.ts";
import { parseBicep } from "../../../tools/check-infra/bicep/parse.ts";
import { BicepSyntaxError } from "../../../tools/check-infra/bicep/scanner.ts";

const parse = (text: string) => parseBicep("a.bicep", text).statements;
const parsedValue = (expression: string) => {
  const [statement] = parse(`var it = ${expression}`);
  if (statement?.kind !== "var") throw new Error("not a variable");
  return statement.value;
};

const refusal = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof BicepSyntaxError) return `${error.at.line}:${error.at.column} ${error.message}`;
    throw error;
  }
  return "accepted";
};

describe("parseBicep", () => {
  test("reads a parameter with its decorators", () => {
    expect(parse("@description('How many')\n@minValue(1)\nparam count int = 3 // three")).toMatchObject([
      { kind: "param", name: "count", type: "int", decorators: [{ name: "description" }, { name: "minValue" }] },
    ]);
  });

  test("reads resources: existing, conditional, one for each of a list", () => {
    const text = `
resource a 'T/a@1' existing = { name: 'a' }
resource b 'T/b@1' = if (a.id != '') { name: 'b' }
resource c 'T/c@1' = [for (one, i) in [1, 2]: {
  name: 'c\${i}'
}]`;
    expect(parse(text)).toMatchObject([
      { name: "a", what: "T/a@1", existing: true },
      { name: "b", existing: false, condition: { kind: "binary", operator: "!=" } },
      { name: "c", loop: { item: "one", index: "i" } },
    ]);
  });

  test("obeys the precedence of operators", () => {
    expect(parsedValue("a || b && c == 1 + 2 * 3")).toMatchObject({
      operator: "||",
      right: { operator: "&&", right: { operator: "==", right: { operator: "+", right: { operator: "*" } } } },
    });
  });

  test("reads a choice over several lines", () => {
    expect(parsedValue("empty(x)\n  ? {}\n  : { a: x! }")).toMatchObject({
      kind: "choice",
      yes: { kind: "object", members: [] },
      no: { kind: "object", members: [{ key: "a", value: { kind: "sure" } }] },
    });
  });

  test("reads strings: escapes, interpolation, several lines", () => {
    expect(textOf(parsedValue(String.raw`'it\'s \$1 \u{41}'`))).toBe("it's $1 A");
    expect(parsedValue(`'a\${b.c['d']}e'`)).toMatchObject({ parts: ["a", { kind: "index" }, "e"] });
    expect(textOf(parsedValue("'''\nfirst\n  'second'\n'''"))).toBe("first\n  'second'\n");
  });

  test("finds a value by the keys that lead to it", () => {
    const value = parsedValue("{ a: { 'b.c': 'deep' }, d: [1] }");
    expect(textOf(valueAt(value, "a", "b.c"))).toBe("deep");
    expect(valueAt(value, "d", "e")).toBeUndefined();
  });

  test.each([
    ["an object without an end", "var it = { a: 1", "1:16 expected a comma, a new line or }"],
    ["a string without an end", "var it = 'a\n", "1:12 this string has no end"],
    ["two entries on a line without a comma", "var it = { a: 1 b: 2 }", "1:17 expected a comma, a new line or }"],
    ["two statements on a line", "var a = 1 var b = 2", "1:11 expected the end of the line"],
    ["an unknown statement", "type a = string", "1:5 type does not begin a statement"],
  ])("refuses %s, and names the position", (_what, text, said) => {
    expect(refusal(text)).toBe(said);
  });
});
