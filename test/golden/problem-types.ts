import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import ts from "typescript";

/** A function that answers problems: which of its arguments are the status and the type, or the status itself. */
interface Maker {
  readonly status: number | string;
  readonly kind: number;
}

const PREFIX = "/problems/";
const OF_MODULE: Maker = { status: 0, kind: 1 };

/**
 * Every problem type that sources can answer, each with its status, as `404 mailbox-not-found`, or `any` for one that
 * is computed. Read from their syntax: problems are made in one module, and each use of what it exports must be a call
 * whose type is a literal, or one in a function beside it that takes the type, whose calls are then looked at in the
 * same way.
 *
 * @throws {Error} for whatever this does not understand, so that no type is missed in silence.
 */
export const problemTypes = async (files: readonly string[]): Promise<string[]> => {
  const texts = await textsOf(files);
  const module = makingModule(texts);
  const makers = await makersOf(module);
  const found = new Set<string>();
  for (const [file, text] of texts) {
    if (file !== module && !text.includes(basename(module))) continue;
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const known = file === module ? makers.map((name) => [name, OF_MODULE] as const) : imported(source, module, makers);
    for (const [name, maker] of known) addTypes(source, name, maker, file === module, found);
  }
  return [...found].toSorted();
};

export const textsOf = async (files: readonly string[]): Promise<Map<string, string>> =>
  new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const)));

/** The one file, of these texts by file, that knows how a type is written. */
export const makingModule = (texts: ReadonlyMap<string, string>): string => {
  const files = [...texts].filter(([, text]) => text.includes(PREFIX)).map(([file]) => file);
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) throw new Error(`One module should make problems, not ${files.join()}`);
  return file;
};

/** Names of what makes a problem of a status and a type: known by what it answers, not by what it is called. */
export const makersOf = async (module: string): Promise<string[]> => {
  const exported: Record<string, unknown> = await import(module);
  const isMaker = (value: unknown): boolean => {
    if (typeof value !== "function") return false;
    try {
      return JSON.stringify(value(400, "a-probe", "")).includes(`${PREFIX}a-probe`);
    } catch {
      return false;
    }
  };
  const makers = Object.keys(exported).filter((name) => isMaker(exported[name]));
  if (makers.length === 0) throw new Error(`${module} exports nothing that makes a problem`);
  return makers;
};

/** What a file calls the makers that it imports. */
const imported = (source: ts.SourceFile, module: string, makers: readonly string[]): [string, Maker][] =>
  source.statements.flatMap((statement): [string, Maker][] => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const from = statement.moduleSpecifier;
    if (from === undefined || !ts.isStringLiteral(from)) return [];
    if (resolve(dirname(source.fileName), from.text) !== module) return [];
    const names = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
    if (names === undefined || !ts.isNamedImports(names)) throw puzzle(source, statement);
    return names.elements
      .filter(({ name, propertyName }) => makers.includes((propertyName ?? name).text))
      .map(({ name }) => [name.text, OF_MODULE]);
  });

const addTypes = (source: ts.SourceFile, name: string, maker: Maker, isModule: boolean, found: Set<string>): void => {
  for (const use of usesOf(source, name)) {
    const call = use.parent;
    if (!ts.isCallExpression(call) || call.expression !== use) {
      if (isModule) continue;
      throw puzzle(source, use);
    }
    if (isModule && call.arguments.some(ts.isSpreadElement)) continue;
    const status = typeof maker.status === "string" ? maker.status : literals(call.arguments[maker.status])?.join();
    const kind = call.arguments[maker.kind];
    const kinds = literals(kind);
    for (const each of kinds ?? []) found.add(`${status ?? "any"} ${each}`);
    if (kinds !== undefined) continue;

    const wrapper = wrapperOf(call, kind);
    if (wrapper === undefined) throw puzzle(source, call);
    addTypes(source, wrapper.name, { status: status ?? "any", kind: wrapper.kind }, false, found);
  }
};

/** Where a name is used as a value; not where it is declared, or is the name of a member. */
const usesOf = (source: ts.SourceFile, name: string): ts.Identifier[] => {
  const uses: ts.Identifier[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isIdentifier(node) && node.text === name && !isName(node)) uses.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
};

/** A shorthand names a member and uses the value. */
const isName = (node: ts.Identifier): boolean =>
  Reflect.get(node.parent, "name") === node &&
  !ts.isShorthandPropertyAssignment(node.parent) &&
  !ts.isExportSpecifier(node.parent);

/** The literals that an expression can be; `undefined` for one that can be anything else. */
const literals = (expression: ts.Expression | undefined): string[] | undefined => {
  if (expression === undefined) return undefined;
  if (ts.isStringLiteralLike(expression) || ts.isNumericLiteral(expression)) return [expression.text];
  if (!ts.isConditionalExpression(expression)) return undefined;
  const [yes, no] = [literals(expression.whenTrue), literals(expression.whenFalse)];
  return yes && no && [...yes, ...no];
};

/** `const name = (…, kind, …) => … call …`, which is not exported. */
const wrapperOf = (
  call: ts.CallExpression,
  kind: ts.Expression | undefined,
): { readonly name: string; readonly kind: number } | undefined => {
  if (kind === undefined || !ts.isIdentifier(kind)) return undefined;
  const arrow = ts.findAncestor(call, ts.isArrowFunction);
  const declaration = arrow?.parent;
  if (arrow === undefined || declaration === undefined || !ts.isVariableDeclaration(declaration)) return undefined;
  const at = arrow.parameters.findIndex(({ name }) => ts.isIdentifier(name) && name.text === kind.text);
  const statement = ts.findAncestor(declaration, ts.isVariableStatement);
  const isExported = statement?.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
  if (at < 0 || isExported || !ts.isIdentifier(declaration.name)) return undefined;
  return { name: declaration.name.text, kind: at };
};

const puzzle = (source: ts.SourceFile, node: ts.Node): Error => {
  const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
  return new Error(
    `${source.fileName}:${line + 1}: which problem types this answers cannot be read: give it a literal type`,
  );
};
