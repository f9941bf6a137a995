/**
 * The offered type that an `Accept` header prefers: by quality, then by precision, then by order. The first one without
 * a header; `undefined` when all are excluded. Source: RFC 9110 12.5.1.
 */
export const preferredType = <T extends string>(accept: string | null, offers: readonly T[]): T | undefined => {
  if (accept === null || accept.trim() === "") return offers[0];
  const ranges = accept.split(",").flatMap(rangeOf);
  const rated = offers.map((type) => ({ type, ...rate(type, ranges) })).filter(({ quality }) => quality > 0);
  return rated.toSorted((a, b) => b.quality - a.quality || b.precision - a.precision)[0]?.type;
};

interface Range {
  readonly range: string;
  readonly quality: number;
}

const QUALITY = /^q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/** A range whose quality does not parse is left out; other parameters are ignored, as no offer has any. */
const rangeOf = (text: string): Range[] => {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => /^q\s*=/i.test(parameter)) ?? "q=1";
  const value = QUALITY.exec(quality)?.[1];
  return value === undefined ? [] : [{ range: range.toLowerCase(), quality: Number(value) }];
};

/** The most precise range that covers a type decides. */
const rate = (type: string, ranges: readonly Range[]): { quality: number; precision: number } => {
  const covering = ["*/*", `${type.split("/")[0]}/*`, type];
  const named = new Set(ranges.map(({ range }) => range));
  const precision = covering.findLastIndex((range) => named.has(range));
  const matches = ranges.filter(({ range }) => range === covering[precision]);
  return { quality: Math.max(0, ...matches.map(({ quality }) => quality)), precision };
};
