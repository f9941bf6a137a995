/** A position in a file; both count from one. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** An expression of Bicep, without what this project does not use: lambdas, imports and spread. */
export type Expression = { readonly at: Place } & (
  | { readonly kind: "string"; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: "literal"; readonly value: number | boolean | null }
  | { readonly kind: "name"; readonly name: string }
  | ObjectExpression
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  | ForExpression
  | { readonly kind: "call"; readonly name: string; readonly of?: Expression; readonly args: readonly Expression[] }
  | { readonly kind: "member"; readonly of: Expression; readonly name: string }
  | { readonly kind: "index"; readonly of: Expression; readonly index: Expression }
  | { readonly kind: "sure"; readonly of: Expression }
  | { readonly kind: "unary"; readonly operator: string; readonly of: Expression }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "choice"; readonly condition: Expression; readonly yes: Expression; readonly no: Expression }
);

export interface ObjectExpression {
  readonly kind: "object";
  readonly at: Place;
  readonly members: readonly Member[];
}

export interface Member {
  readonly at: Place;
  /** `undefined` for a key that is known at deployment only. */
  readonly key: string | undefined;
  readonly keyExpression: Expression;
  readonly value: Expression;
}

export interface ForExpression {
  readonly kind: "for";
  readonly at: Place;
  readonly item: string;
  readonly index: string | undefined;
  readonly over: Expression;
  readonly body: Expression;
}

export interface Decorator {
  readonly name: string;
  readonly args: readonly Expression[];
}

export interface ParamStatement {
  readonly kind: "param";
  readonly at: Place;
  readonly name: string;
  /** Absent in a parameter file. */
  readonly type: string | undefined;
  readonly value: Expression | undefined;
  readonly decorators: readonly Decorator[];
}

export interface VarStatement {
  readonly kind: "var";
  readonly at: Place;
  readonly name: string;
  readonly value: Expression;
}

export interface OutputStatement {
  readonly kind: "output";
  readonly at: Place;
  readonly name: string;
  readonly type: string;
  readonly value: Expression;
}

/** A resource or a module, perhaps with a condition, perhaps with a loop over a list. */
export interface DeployedStatement {
  readonly kind: "resource" | "module";
  readonly at: Place;
  readonly name: string;
  /** Type and API version of a resource, path of a module. */
  readonly what: string;
  readonly existing: boolean;
  readonly condition: Expression | undefined;
  readonly loop: ForExpression | undefined;
  readonly body: ObjectExpression;
}

export interface OtherStatement {
  readonly kind: "targetScope" | "metadata" | "using";
  readonly at: Place;
  readonly name: string | undefined;
  readonly value: Expression;
}

export type Statement = ParamStatement | VarStatement | OutputStatement | DeployedStatement | OtherStatement;

/** A parsed file. */
export interface BicepFile {
  /** Below the project's folder. */
  readonly path: string;
  readonly statements: readonly Statement[];
}

/** The text of a string without interpolation; `undefined` for anything else. */
export const textOf = (expression: Expression | undefined): string | undefined => {
  if (expression?.kind !== "string") return undefined;
  return expression.parts.every((part) => typeof part === "string") ? expression.parts.join("") : undefined;
};

/** The value of a literal or a plain string; `undefined` for a value that is known at deployment only. */
export const plainOf = (expression: Expression | undefined): string | number | boolean | null | undefined =>
  expression?.kind === "literal" ? expression.value : textOf(expression);

/** A member's value by its keys in nested objects; `undefined` when a member is missing or not an object. */
export const valueAt = (from: Expression | undefined, ...keys: readonly string[]): Expression | undefined => {
  let value = from;
  for (const key of keys) {
    if (value?.kind !== "object") return undefined;
    value = value.members.find((member) => member.key === key)?.value;
  }
  return value;
};

/** The expression and everything in it. */
export function* expressionsIn(expression: Expression): Generator<Expression> {
  yield expression;
  for (const part of partsOf(expression)) yield* expressionsIn(part);
}

const partsOf = (expression: Expression): readonly Expression[] => {
  switch (expression.kind) {
    case "string":
      return expression.parts.filter((part) => typeof part !== "string");
    case "object":
      return expression.members.flatMap(({ keyExpression, value }) => [keyExpression, value]);
    case "array":
      return expression.items;
    case "for":
      return [expression.over, expression.body];
    case "call":
      return expression.of === undefined ? expression.args : [expression.of, ...expression.args];
    case "index":
      return [expression.of, expression.index];
    case "member":
    case "sure":
    case "unary":
      return [expression.of];
    case "binary":
      return [expression.left, expression.right];
    case "choice":
      return [expression.condition, expression.yes, expression.no];
    case "literal":
    case "name":
      return [];
  }
};
