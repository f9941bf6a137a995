import type { Cell } from "../../../shared/http/csv.ts";
import { NO_ITEMS } from "../restored-items.steps.ts";
import type { ListReport } from "./list-report.ts";
import type { FolderReport, RestoreReport } from "./restore-report.ts";

const FOLDER_COUNTS = [
  "wanted",
  "imported",
  "replaced",
  "present",
  "missing",
  "alreadyThere",
  "surplus",
] as const satisfies readonly (keyof FolderReport)[];

/** A report as one table: a row for each folder, then a row for each item of the report. */
export const reportTable = ({ folders, items }: RestoreReport): Cell[][] => {
  const paths = new Map(folders.map(({ folderId, path }) => [folderId, path]));
  return [
    ["row", "folderId", "path", ...FOLDER_COUNTS, "id", "outcome", "code", "lookAt"],
    ...folders.map((folder) => [
      ...["folder", folder.folderId, folder.path],
      ...FOLDER_COUNTS.map((name) => folder[name]),
      ...[undefined, undefined, undefined, undefined],
    ]),
    ...items.map(({ folderId, id, outcome, code, lookAt }) => [
      ...["item", folderId, paths.get(folderId)],
      ...FOLDER_COUNTS.map(() => undefined),
      ...[id, outcome, code, lookAt?.join(" ")],
    ]),
  ];
};

const ITEM_COUNTS = Object.keys(NO_ITEMS) as (keyof typeof NO_ITEMS)[];

/** The report of a list as a table: a row for each restore. */
export const listTable = ({ restores }: ListReport): Cell[][] => [
  ["job", "mailbox", "into", "snapshot", "outcome", ...ITEM_COUNTS, "error"],
  ...restores.map(({ job, mailbox, into, snapshot, outcome, items, error }) => [
    ...[job, mailbox, into, snapshot, outcome],
    ...ITEM_COUNTS.map((name) => items?.[name]),
    error,
  ]),
];
