/** Whether a route accepts a value. */
export type Constraint = (value: string) => boolean;

const INT32_MAX = 2n ** 31n - 1n;
const INT64_MAX = 2n ** 63n - 1n;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const GUID = /^(?:[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\{[\da-f-]{36}\}|\([\da-f-]{36}\))$/i;

/** The constraints of ASP.NET Core, which match Functions routes, by name. `args` is the text in parentheses. */
const CONSTRAINTS: Readonly<Record<string, (args: string) => Constraint>> = {
  int: () => (value) => isIntegerUpTo(INT32_MAX, value),
  long: () => (value) => isIntegerUpTo(INT64_MAX, value),
  bool: () => (value) => /^(?:true|false)$/i.test(value),
  datetime: () => (value) => !Number.isNaN(Date.parse(value)),
  decimal: () => (value) => NUMBER.test(value),
  double: () => (value) => NUMBER.test(value),
  float: () => (value) => NUMBER.test(value),
  guid: () => (value) => GUID.test(value),
  alpha: () => (value) => /^[a-z]*$/i.test(value),
  required: () => (value) => value !== "",
  minlength: (args) => (value) => value.length >= Number(args),
  maxlength: (args) => (value) => value.length <= Number(args),
  length: (args) => {
    const [min, max = min] = numbersOf(args);
    return (value) => isBetween(min, value.length, max);
  },
  min: (args) => (value) => isInteger(value) && Number(value) >= Number(args),
  max: (args) => (value) => isInteger(value) && Number(value) <= Number(args),
  range: (args) => {
    const [min, max] = numbersOf(args);
    return (value) => isInteger(value) && isBetween(min, Number(value), max);
  },
  regex: (args) => {
    const pattern = new RegExp(args, "i");
    return (value) => pattern.test(value);
  },
};

/** Reads `name` or `name(arguments)`; undefined when there is no such constraint. */
export const parseConstraint = (text: string): Constraint | undefined => {
  const match = /^(\w+)(?:\((.*)\))?$/s.exec(text);
  const [, name = "", args = ""] = match ?? [];
  return CONSTRAINTS[name.toLowerCase()]?.(args);
};

const numbersOf = (args: string) => args.split(",").map(Number);
const isInteger = (value: string) => /^[+-]?\d+$/.test(value);

const isIntegerUpTo = (max: bigint, value: string): boolean => {
  if (!isInteger(value)) return false;
  const integer = BigInt(value.replace("+", ""));
  return integer >= -max - 1n && integer <= max;
};

const isBetween = (min = Number.NaN, value: number, max = Number.NaN): boolean => value >= min && value <= max;
