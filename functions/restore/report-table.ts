import type { Cell } from "../../shared/http/csv.ts";
import type { RestoreReport } from "../../shared/work/restore-report.ts";

const HEADER = ["row", "folderId", "path", "wanted", "imported", "present", "missing", "id", "outcome", "code"];

/** A report as one table: a row for each folder, then one for each item that was not simply imported. */
export const reportTable = ({ folders, items }: RestoreReport): Cell[][] => {
  const paths = new Map(folders.map(({ folderId, path }) => [folderId, path]));
  return [
    HEADER,
    ...folders.map(({ folderId, path, wanted, imported, present, missing }) => [
      ...["folder", folderId, path],
      ...[wanted, imported, present, missing],
      ...[undefined, undefined, undefined],
    ]),
    ...items.map(({ folderId, id, outcome, code }) => [
      ...["item", folderId, paths.get(folderId)],
      ...[undefined, undefined, undefined, undefined],
      ...[id, outcome, code],
    ]),
  ];
};
