import { type Expression, type ForExpression, type Member, type ObjectExpression, textOf } from "./ast.ts";
import type { Scanner } from "./scanner.ts";

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[0-9]+/y;
const PLAIN = /(?:[^'\\$\n]|\$(?!\{))+/y;
const ESCAPE = /\\(?:['\\nrt$]|u\{[0-9a-fA-F]+\})/y;
const MULTI_LINE = /'''\n?([\s\S]*?)'''/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** From the loosest to the tightest. Longer operators come before those that they begin with. */
const OPERATORS = [
  ["??"],
  ["||"],
  ["&&"],
  ["==", "!=", "=~", "!~"],
  ["<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/", "%"],
];

/**
 * Reads one expression.
 * @throws {BicepSyntaxError}
 */
export const readExpression = (scanner: Scanner): Expression => {
  scanner.skipBlanks();
  const at = scanner.place();
  const condition = readBinary(scanner, 0);
  if (!scanner.attempt(() => takeQuestion(scanner))) return condition;
  scanner.skipLines();
  const yes = readExpression(scanner);
  scanner.skipLines();
  scanner.expect(":");
  scanner.skipLines();
  return { kind: "choice", at, condition, yes, no: readExpression(scanner) };
};

/** The question mark of a choice, which may be on a line of its own. */
const takeQuestion = (scanner: Scanner): boolean => {
  scanner.skipLines();
  return scanner.take("?") && !scanner.ahead("?");
};

const readBinary = (scanner: Scanner, level: number): Expression => {
  const operators = OPERATORS[level];
  if (operators === undefined) return readUnary(scanner);
  let left = readBinary(scanner, level + 1);
  for (;;) {
    const operator = operators.find((candidate) => scanner.take(candidate));
    if (operator === undefined) return left;
    left = { kind: "binary", at: left.at, operator, left, right: readBinary(scanner, level + 1) };
  }
};

const readUnary = (scanner: Scanner): Expression => {
  scanner.skipBlanks();
  const at = scanner.place();
  const operator = ["!", "-"].find((candidate) => scanner.take(candidate));
  return operator === undefined ? readAccess(scanner) : { kind: "unary", at, operator, of: readUnary(scanner) };
};

const readAccess = (scanner: Scanner): Expression => {
  let value = readPrimary(scanner);
  for (;;) {
    const { at } = value;
    if (scanner.ahead(".")) {
      scanner.expect(".");
      scanner.take("?");
      const name = readName(scanner);
      value = scanner.ahead("(")
        ? { kind: "call", at, name, of: value, args: readArguments(scanner) }
        : { kind: "member", at, of: value, name };
    } else if (scanner.ahead("[")) {
      scanner.expect("[");
      const index = readExpression(scanner);
      scanner.expect("]");
      value = { kind: "index", at, of: value, index };
    } else if (scanner.ahead("!") && !scanner.ahead("!=") && !scanner.ahead("!~")) {
      scanner.expect("!");
      value = { kind: "sure", at, of: value };
    } else return value;
  }
};

const readPrimary = (scanner: Scanner): Expression => {
  scanner.skipBlanks();
  const at = scanner.place();
  if (scanner.ahead("'")) return readString(scanner);
  if (scanner.ahead("{")) return readObject(scanner);
  if (scanner.ahead("[")) return readArrayOrFor(scanner);
  if (scanner.take("(")) {
    scanner.skipLines();
    const inner = readExpression(scanner);
    scanner.skipLines();
    scanner.expect(")");
    return inner;
  }
  const number = scanner.match(NUMBER);
  if (number !== undefined) return { kind: "literal", at, value: Number(number) };
  const name = readName(scanner);
  if (name === "true" || name === "false") return { kind: "literal", at, value: name === "true" };
  if (name === "null") return { kind: "literal", at, value: null };
  return scanner.ahead("(") ? { kind: "call", at, name, args: readArguments(scanner) } : { kind: "name", at, name };
};

export const readName = (scanner: Scanner): string => {
  scanner.skipBlanks();
  return scanner.match(NAME) ?? scanner.fail("expected a name");
};

export const readString = (scanner: Scanner): Expression => {
  scanner.skipBlanks();
  const at = scanner.place();
  if (scanner.ahead("'''")) {
    const text = scanner.match(MULTI_LINE) ?? scanner.fail("this text has no end");
    return { kind: "string", at, parts: [text.slice(3, -3).replace(/^\n/, "")] };
  }
  scanner.expect("'");
  const parts: (string | Expression)[] = [];
  for (;;) {
    if (scanner.ahead("'")) break;
    if (scanner.ahead("${")) {
      scanner.expect("${");
      parts.push(readExpression(scanner));
      scanner.expect("}");
      continue;
    }
    const plain = scanner.match(PLAIN) ?? textOfEscape(scanner.match(ESCAPE) ?? scanner.fail("this string has no end"));
    parts.push(plain);
  }
  scanner.expect("'");
  return { kind: "string", at, parts: parts.length === 0 ? [""] : parts };
};

const textOfEscape = (sequence: string): string => {
  const [, letter = "", digits = ""] = /^\\(.)(?:\{([0-9a-fA-F]+)\})?$/.exec(sequence) ?? [];
  return letter === "u" ? String.fromCodePoint(Number.parseInt(digits, 16)) : (ESCAPES[letter] ?? letter);
};

export const readObject = (scanner: Scanner): ObjectExpression => {
  scanner.skipBlanks();
  const at = scanner.place();
  scanner.expect("{");
  const members: Member[] = [];
  for (;;) {
    scanner.skipLines();
    if (scanner.take("}")) return { kind: "object", at, members };
    members.push(readMember(scanner));
    endOfEntry(scanner, "}");
  }
};

const readMember = (scanner: Scanner): Member => {
  const at = scanner.place();
  const keyExpression: Expression = scanner.ahead("'")
    ? readString(scanner)
    : { kind: "string", at, parts: [readName(scanner)] };
  scanner.expect(":");
  return { at, key: textOf(keyExpression), keyExpression, value: readExpression(scanner) };
};

const readArrayOrFor = (scanner: Scanner): Expression => {
  const at = scanner.place();
  scanner.expect("[");
  scanner.skipLines();
  if (scanner.takeWord("for")) {
    const loop = readFor(scanner, at);
    scanner.skipLines();
    scanner.expect("]");
    return loop;
  }
  const items: Expression[] = [];
  for (;;) {
    scanner.skipLines();
    if (scanner.take("]")) return { kind: "array", at, items };
    items.push(readExpression(scanner));
    endOfEntry(scanner, "]");
  }
};

const readFor = (scanner: Scanner, at: Expression["at"]): ForExpression => {
  let item: string;
  let index: string | undefined;
  if (scanner.take("(")) {
    item = readName(scanner);
    scanner.expect(",");
    index = readName(scanner);
    scanner.expect(")");
  } else item = readName(scanner);
  if (!scanner.takeWord("in")) scanner.fail("expected in");
  const over = readExpression(scanner);
  scanner.expect(":");
  return { kind: "for", at, item, index, over, body: readExpression(scanner) };
};

const readArguments = (scanner: Scanner): Expression[] => {
  scanner.expect("(");
  const args: Expression[] = [];
  scanner.skipLines();
  while (!scanner.take(")")) {
    args.push(readExpression(scanner));
    scanner.skipLines();
    if (scanner.take(",")) scanner.skipLines();
    else if (!scanner.ahead(")")) scanner.fail("expected , or )");
  }
  return args;
};

/** An entry of an object or array ends with a comma, with its line, or with the object or array. */
const endOfEntry = (scanner: Scanner, close: string): void => {
  if (scanner.take(",")) return;
  scanner.skipBlanks();
  if (!scanner.ahead("\n") && !scanner.ahead(close)) scanner.fail(`expected a comma, a new line or ${close}`);
};
