import { describe, expect, test } from "vitest";
import { skipReason } from "../../../../functions/backup/export/skip-reasons.ts";

describe("skipReason", () => {
  test.each([
    ["ErrorItemNotFound", "gone"],
    ["errorItemNotFound", "gone"],
    ["ErrorCorruptData", "corrupt"],
    ["ErrorItemCorrupt", "corrupt"],
  ])("knows %s as %s, without regard to case", (code, reason) => {
    expect(skipReason(code)).toBe(reason);
  });

  test.each(["ErrorInternalServerError", "ErrorMailboxStoreUnavailable", "unnamed", ""])(
    "does not know %j, so the item fails and is tried again",
    (code) => {
      expect(skipReason(code)).toBeUndefined();
    },
  );
});
