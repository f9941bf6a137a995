import { expect, test } from "vitest";
import { isDeltaStateLost, isOverQuota } from "../../../shared/graph/delta-errors.ts";
import { GraphError, hasCode } from "../../../shared/graph/graph-error.ts";

const answered = (status: number, code = "") => new GraphError("GET items/delta", { status, code });

test.each([
  [answered(410), true],
  [answered(410, "anything"), true],
  [answered(400, "syncStateNotFound"), true],
  [answered(404, "SyncStateInvalid"), true],
  [answered(400, "resyncRequired"), true],
  [answered(404, "ErrorItemNotFound"), false],
  [answered(403, "ErrorQuotaExceeded"), false],
  [new Error("syncStateNotFound"), false],
])("%s means that the delta state is lost: %s", (error, expected) => {
  expect(isDeltaStateLost(error)).toBe(expected);
});

test("a mailbox over its quota is known by its code, in any case", () => {
  expect(isOverQuota(answered(403, "errorQuotaExceeded"))).toBe(true);
  expect(isOverQuota(answered(403, "ErrorAccessDenied"))).toBe(false);
});

test("an error without a code has none of the codes", () => {
  expect(hasCode(answered(500), "ErrorSome")).toBe(false);
  expect(hasCode({ code: "ErrorSome" }, "ErrorSome")).toBe(false);
});
