import { posix } from "node:path";
import {
  type BicepFile,
  type DeployedStatement,
  type Expression,
  expressionsIn,
  type ObjectExpression,
  type ParamStatement,
  plainOf,
  type Statement,
  textOf,
  valueAt,
} from "./bicep/ast.ts";
import { type Finding, finding } from "./finding.ts";
import type { Project } from "./project.ts";

/**
 * The functions of Bicep that the templates use. Source:
 * learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions.
 */
const FUNCTIONS = new Set([
  "contains",
  "empty",
  "environment",
  "guid",
  "items",
  "max",
  "readEnvironmentVariable",
  "replace",
  "resourceGroup",
  "resourceId",
  "split",
  "subscription",
  "subscriptionResourceId",
  "tenant",
  "union",
  "uniqueString",
]);

/**
 * Checks names as a compiler does, as far as the text allows: unknown names and functions, unused names, and modules
 * and parameter files that do not match their template.
 */
export const checkNames = (project: Project): Finding[] =>
  project.bicep.flatMap((file) =>
    file.path.endsWith(".bicepparam") ? checkParameterFile(project, file) : checkTemplate(project, file),
  );

const checkTemplate = (project: Project, file: BicepFile): Finding[] => {
  const declared = new Map<string, Statement>();
  const findings: Finding[] = [];
  for (const statement of file.statements) {
    if (!isDeclaration(statement)) continue;
    if (declared.has(statement.name)) findings.push(finding(file.path, statement.at, `${statement.name} exists twice`));
    declared.set(statement.name, statement);
  }

  const used = new Set<string>();
  for (const { expression, own } of expressionsOf(file)) {
    if (expression.kind === "name") {
      used.add(expression.name);
      if (!declared.has(expression.name) && !own.has(expression.name))
        findings.push(finding(file.path, expression.at, `${expression.name} is declared nowhere`));
    }
    if (expression.kind === "call" && expression.of === undefined && !FUNCTIONS.has(expression.name))
      findings.push(finding(file.path, expression.at, `${expression.name} is not a function that this check knows`));
    if (expression.kind === "member") findings.push(...checkModuleOutput(project, file, declared, expression));
  }
  for (const [name, statement] of declared) {
    const mustBeUsed = statement.kind === "param" || statement.kind === "var" || isExisting(statement);
    if (mustBeUsed && !used.has(name)) findings.push(finding(file.path, statement.at, `nobody uses ${name}`));
  }
  for (const statement of file.statements)
    if (statement.kind === "module") findings.push(...checkModule(project, file, statement));
  return findings;
};

const isDeclaration = (statement: Statement): statement is ParamStatement | Extract<Statement, { name: string }> =>
  ["param", "var", "resource", "module"].includes(statement.kind);

const isExisting = (statement: Statement): boolean => statement.kind === "resource" && statement.existing;

/** Every expression of a file, with the names that loops around it declare. */
function* expressionsOf(file: BicepFile): Generator<{ expression: Expression; own: ReadonlySet<string> }> {
  for (const statement of file.statements) {
    for (const root of rootsOf(statement)) {
      const all = [...expressionsIn(root)];
      const own = new Set(all.flatMap((one) => (one.kind === "for" ? [one.item, one.index ?? one.item] : [])));
      for (const expression of all) yield { expression, own };
    }
  }
}

const rootsOf = (statement: Statement): readonly Expression[] => {
  switch (statement.kind) {
    case "resource":
    case "module":
      return [statement.loop ?? statement.body, ...(statement.condition === undefined ? [] : [statement.condition])];
    case "param":
      return statement.value === undefined ? [] : [statement.value];
    default:
      return [statement.value];
  }
};

/** `module.outputs.name` of an output that does not exist, which otherwise only a compiler would find. */
const checkModuleOutput = (
  project: Project,
  file: BicepFile,
  declared: ReadonlyMap<string, Statement>,
  { of, name, at }: Extract<Expression, { kind: "member" }>,
): Finding[] => {
  if (of.kind !== "member" || of.name !== "outputs") return [];
  const owner = of.of.kind === "sure" ? of.of.of : of.of;
  const module = owner.kind === "name" ? declared.get(owner.name) : undefined;
  if (module?.kind !== "module") return [];
  const target = targetOf(project, file, module.what);
  const found = target?.statements.some((statement) => statement.kind === "output" && statement.name === name);
  return found === false ? [finding(file.path, at, `${module.what} has no output ${name}`)] : [];
};

const checkModule = (project: Project, file: BicepFile, module: DeployedStatement): Finding[] => {
  const target = targetOf(project, file, module.what);
  if (target === undefined) return [finding(file.path, module.at, `there is no ${module.what}`)];
  const params = valueAt(module.body, "params");
  const given = params?.kind === "object" ? params : undefined;
  return compareParams(file.path, module.at, given, target);
};

const compareParams = (
  path: string,
  at: Expression["at"],
  given: ObjectExpression | undefined,
  target: BicepFile,
): Finding[] => {
  const wanted = target.statements.filter((statement) => statement.kind === "param");
  const names = new Set(given?.members.map(({ key }) => key));
  return [
    ...(given?.members ?? [])
      .filter(({ key }) => !wanted.some(({ name }) => name === key))
      .map((member) => finding(path, member.at, `${target.path} has no parameter ${member.key}`)),
    ...wanted
      .filter(({ name, value, type }) => value === undefined && type?.endsWith("?") !== true && !names.has(name))
      .map(({ name }) => finding(path, at, `${target.path} needs the parameter ${name}`)),
  ];
};

const checkParameterFile = (project: Project, file: BicepFile): Finding[] => {
  const using = file.statements.find(({ kind }) => kind === "using");
  const target = using?.kind === "using" ? targetOf(project, file, pathIn(using.value)) : undefined;
  if (using === undefined || target === undefined)
    return [finding(file.path, using?.at, "names no template that exists")];
  const given: ObjectExpression = {
    kind: "object",
    at: using.at,
    members: file.statements.flatMap((statement) =>
      statement.kind === "param" && statement.value !== undefined
        ? [{ at: statement.at, key: statement.name, keyExpression: statement.value, value: statement.value }]
        : [],
    ),
  };
  return [...compareParams(file.path, using.at, given, target), ...checkAllowed(file.path, given, target)];
};

/** A parameter's value that its template does not allow. */
const checkAllowed = (path: string, given: ObjectExpression, target: BicepFile): Finding[] =>
  target.statements.flatMap((statement) => {
    const allowed = statement.kind === "param" && statement.decorators.find(({ name }) => name === "allowed")?.args[0];
    if (statement.kind !== "param" || !allowed || allowed.kind !== "array") return [];
    const member = given.members.find(({ key }) => key === statement.name);
    if (member === undefined) return [];
    const value = plainOf(member.value);
    if (value === undefined || allowed.items.some((item) => plainOf(item) === value)) return [];
    return [finding(path, member.at, `${target.path} does not allow ${value} as ${statement.name}`)];
  });

const pathIn = (expression: Expression): string => textOf(expression) ?? "";

const targetOf = (project: Project, file: BicepFile, path: string): BicepFile | undefined => {
  const wanted = posix.normalize(posix.join(posix.dirname(file.path), path));
  return project.bicep.find((candidate) => candidate.path === wanted);
};
