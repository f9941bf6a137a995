/** Whether a route value may be taken. */
export type Constraint = (value: string) => boolean;

const INT32_MAX = 2n ** 31n - 1n;
const INT64_MAX = 2n ** 63n - 1n;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const GUID = /^(?:[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\{[\da-f-]{36}\}|\([\da-f-]{36}\))$/i;

/** By name, given what stands in the parentheses. The set of ASP.NET Core that Functions routes are matched by. */
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
    const [least, most = least] = numbersOf(args);
    return (value) => isBetween(least, value.length, most);
  },
  min: (args) => (value) => isInteger(value) && Number(value) >= Number(args),
  max: (args) => (value) => isInteger(value) && Number(value) <= Number(args),
  range: (args) => {
    const [least, most] = numbersOf(args);
    return (value) => isInteger(value) && isBetween(least, Number(value), most);
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

const isBetween = (least = Number.NaN, value: number, most = Number.NaN): boolean => value >= least && value <= most;
