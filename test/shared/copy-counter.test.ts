import { describe, expect, test } from "vitest";
import { copyCounter } from "../../shared/copy-counter.ts";

describe("copyCounter", () => {
  test("takes as many copies as were added, in their own folder only", () => {
    const copies = copyCounter();
    copies.add("inbox", "key");
    copies.add("inbox", "key");
    copies.add("sent", "key");

    expect(copies.size).toBe(3);
    expect(copies.take("inbox", "key")).toBe(true);
    expect(copies.take("inbox", "key")).toBe(true);
    expect(copies.take("inbox", "key")).toBe(false);
    expect(copies.take("sent", "other")).toBe(false);
    expect(copies.size).toBe(1);
  });

  test("never counts an item without a search key as a copy", () => {
    const copies = copyCounter();
    copies.add("inbox", undefined);

    expect(copies.size).toBe(0);
    expect(copies.take("inbox", undefined)).toBe(false);
  });
});
