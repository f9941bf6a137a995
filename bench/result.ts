import type { Row } from "./measurement.ts";

/** A row with its value. `value` is `null` when it could not be measured, and `note` says why. */
export interface Result {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  readonly target: number | null;
  readonly better: Row["better"];
  readonly ok: boolean;
  readonly note?: string;
}

const reaches = ({ better, target }: Row, value: number): boolean =>
  target === undefined || (better === "higher" ? value >= target : value <= target);

/** A value is ok when it reaches its target or has none. One that is not a finite number counts as not measured. */
export const resultOf = (row: Row, value: number | undefined): Result => {
  if (value === undefined || !Number.isFinite(value)) return unmeasured(row, "was not measured");
  const { name, unit, better, target } = row;
  return { name, value, unit, target: target ?? null, better, ok: reaches(row, value) };
};

export const unmeasured = ({ name, unit, better, target }: Row, note: string): Result => ({
  name,
  value: null,
  unit,
  target: target ?? null,
  better,
  ok: false,
  note,
});

/** The cells of a table, the header first. */
export const cells = (results: readonly Result[]): string[][] => [
  ["", "measured", "target", ""],
  ...results.map(({ name, value, unit, target, better, ok }) => [
    name,
    value === null ? "not measured" : withUnit(value, unit),
    target === null ? "" : `${better === "higher" ? "≥" : "≤"} ${withUnit(target, unit)}`,
    ok ? "" : "MISSED",
  ]),
];

const withUnit = (value: number, unit: string): string => `${readable(value)}${unit === "" ? "" : ` ${unit}`}`;

/** Three significant digits below 1,000, none after the point above. */
const readable = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
