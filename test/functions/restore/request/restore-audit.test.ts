import { describe, expect, test } from "vitest";
import { auditedSelection } from "../../../../functions/restore/request/restore-audit.ts";
import { aFolderAt } from "../plan/folders.ts";

const folders = Array.from({ length: 30 }, (_, n) => aFolderAt(`to ada@contoso.example ${n}`));

describe("auditedSelection", () => {
  test("says that everything was selected", () => {
    expect(auditedSelection({ all: true }, folders)).toEqual({ kind: "all" });
  });

  test("counts the named folders, and has the ids of the first twenty", () => {
    const selection = auditedSelection({ folders: folders.map(({ path }) => path) }, folders);

    expect(selection).toEqual({ kind: "folders", count: 30, ids: folders.slice(0, 20).map(({ id }) => id) });
  });
});
