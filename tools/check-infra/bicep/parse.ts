import {
  type BicepFile,
  type Decorator,
  type DeployedStatement,
  type Expression,
  type ForExpression,
  type Statement,
  textOf,
} from "./ast.ts";
import { readExpression, readName, readObject, readString } from "./expressions.ts";
import { type Scanner, scan } from "./scanner.ts";

const TYPE = /[A-Za-z]+(?:\[\])?\??/y;

/**
 * Reads a template or a parameter file.
 * @throws {BicepSyntaxError} for text that is not Bicep, and for syntax that this parser does not know.
 */
export const parseBicep = (path: string, text: string): BicepFile => {
  const scanner = scan(text);
  const statements: Statement[] = [];
  for (;;) {
    scanner.skipLines();
    if (scanner.atEnd) return { path, statements };
    statements.push(readStatement(scanner));
    scanner.skipBlanks();
    if (!scanner.atEnd && !scanner.ahead("\n")) scanner.fail("expected the end of the line");
  }
};

const readStatement = (scanner: Scanner): Statement => {
  const decorators = readDecorators(scanner);
  const at = scanner.place();
  const keyword = readName(scanner);
  switch (keyword) {
    case "targetScope":
      return { kind: keyword, at, name: undefined, value: readAssigned(scanner) };
    case "using":
      return { kind: keyword, at, name: undefined, value: readString(scanner) };
    case "metadata":
      return { kind: keyword, at, name: readName(scanner), value: readAssigned(scanner) };
    case "var":
      return { kind: keyword, at, name: readName(scanner), value: readAssigned(scanner) };
    case "param": {
      const name = readName(scanner);
      scanner.skipBlanks();
      const type = scanner.match(TYPE);
      scanner.skipBlanks();
      const value = scanner.ahead("=") ? readAssigned(scanner) : undefined;
      return { kind: keyword, at, name, type, value, decorators };
    }
    case "output": {
      const name = readName(scanner);
      scanner.skipBlanks();
      const type = scanner.match(TYPE) ?? scanner.fail("expected a type");
      return { kind: keyword, at, name, type, value: readAssigned(scanner) };
    }
    case "resource":
    case "module":
      return readDeployed(scanner, keyword, at);
    default:
      return scanner.fail(`${keyword} does not begin a statement`);
  }
};

const readDecorators = (scanner: Scanner): Decorator[] => {
  const decorators: Decorator[] = [];
  while (scanner.take("@")) {
    const called = readExpression(scanner);
    if (called.kind !== "call") return scanner.fail("a decorator is a call");
    decorators.push({ name: called.name, args: called.args });
    scanner.skipLines();
  }
  return decorators;
};

const readAssigned = (scanner: Scanner): Expression => {
  scanner.expect("=");
  return readExpression(scanner);
};

const readDeployed = (
  scanner: Scanner,
  kind: DeployedStatement["kind"],
  at: DeployedStatement["at"],
): DeployedStatement => {
  const name = readName(scanner);
  const what = textOf(readString(scanner)) ?? scanner.fail("expected a plain string");
  const existing = scanner.takeWord("existing");
  scanner.expect("=");
  if (scanner.takeWord("if")) {
    scanner.expect("(");
    const condition = readExpression(scanner);
    scanner.expect(")");
    return { kind, at, name, what, existing, condition, loop: undefined, body: readObject(scanner) };
  }
  const value = readExpression(scanner);
  if (value.kind === "object")
    return { kind, at, name, what, existing, condition: undefined, loop: undefined, body: value };
  const body = (value as ForExpression).body;
  if (value.kind !== "for" || body.kind !== "object")
    return scanner.fail("expected an object, or one for each of a list");
  return { kind, at, name, what, existing, condition: undefined, loop: value, body };
};
