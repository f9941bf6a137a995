import { expect, test } from "vitest";
import { GraphError, hasCode } from "../../../shared/graph/graph-error.ts";
import { isLostState, isOverQuota } from "../../../shared/graph/lost-token.ts";

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
])("%s is lost state: %s", (error, expected) => {
  expect(isLostState(error)).toBe(expected);
});

test("a full mailbox is known by its code, in any case", () => {
  expect(isOverQuota(answered(403, "errorQuotaExceeded"))).toBe(true);
  expect(isOverQuota(answered(403, "ErrorAccessDenied"))).toBe(false);
});

test("an error without a code has none of the codes", () => {
  expect(hasCode(answered(500), "ErrorSome")).toBe(false);
  expect(hasCode({ code: "ErrorSome" }, "ErrorSome")).toBe(false);
});
