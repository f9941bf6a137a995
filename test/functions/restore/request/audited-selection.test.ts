import { describe, expect, test } from "vitest";
import { auditedSelection } from "../../../../functions/restore/request/audited-selection.ts";
import { aFolderAt } from "../plan/folders.ts";

const folders = Array.from({ length: 30 }, (_, n) => aFolderAt(`to ada@contoso.example ${n}`));

describe("auditedSelection", () => {
  test("says that all was selected", () => {
    expect(auditedSelection({ all: true }, folders)).toEqual({ kind: "all" });
  });

  test("counts the folders that were named, and names the first twenty by id", () => {
    const selection = auditedSelection({ folders: folders.map(({ path }) => path) }, folders);

    expect(selection).toEqual({ kind: "folders", count: 30, ids: folders.slice(0, 20).map(({ id }) => id) });
  });
});
