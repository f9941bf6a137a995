import { describe, expect, test } from "vitest";
import { addCounts } from "../../../shared/contracts/add-counts.ts";

describe("addCounts", () => {
  test("adds field by field, and keeps the first one's fields that are not numbers", () => {
    const one = { items: 1, failed: 2, names: ["one"] };
    const more = { items: 10, failed: 20, names: ["other"], elapsedMs: 5 };

    expect(addCounts(one, more)).toEqual({ items: 11, failed: 22, names: ["one"] });
    expect(one).toEqual({ items: 1, failed: 2, names: ["one"] });
  });
});
