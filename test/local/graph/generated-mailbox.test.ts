import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type GeneratedOptions, generatedMailbox } from "../../../local/graph/generated-mailbox.ts";
import type { SeedMailbox } from "../../../local/graph/seed.ts";

const aMailbox = (options: Partial<GeneratedOptions> = {}): SeedMailbox =>
  generatedMailbox({
    seed: "one",
    user: { id: "u", userPrincipalName: "u@x.example", displayName: "U", accountEnabled: true, licensed: true },
    items: 1000,
    userFolders: 5,
    layout: "typical",
    bytes: { median: 24_000, mean: 75_000, min: 1024, max: 10_000_000 },
    until: "2026-09-01T00:00:00.000Z",
    years: 4,
    ...options,
  });

const contentOf = (mailbox: SeedMailbox, folder: string, index: number) =>
  Buffer.concat([...mailbox.item(folder, index).payload()]);

describe("generated mailbox", () => {
  test("has the items asked for, spread over mail, calendar, contacts and tasks", () => {
    const { folders } = aMailbox();

    expect(folders.reduce((sum, folder) => sum + folder.itemCount, 0)).toBe(1000);
    expect(new Set(folders.filter((folder) => folder.itemCount > 0).map((folder) => folder.type))).toEqual(
      new Set(["IPF.Note", "IPF.Appointment", "IPF.Contact", "IPF.Task"]),
    );
    expect(folders.filter((folder) => folder.hidden)).toHaveLength(1);
    expect(
      folders.every(({ parentKey }) => parentKey === undefined || folders.some(({ key }) => key === parentKey)),
    ).toBe(true);
  });

  test("is the same for the same seed and another for another", () => {
    const [one, same, other] = [aMailbox(), aMailbox(), aMailbox({ seed: "two" })];

    expect(contentOf(same, "inbox", 7)).toEqual(contentOf(one, "inbox", 7));
    expect(contentOf(other, "inbox", 7)).not.toEqual(contentOf(one, "inbox", 7));
    expect(contentOf(one, "inbox", 8)).not.toEqual(contentOf(one, "inbox", 7));
  });

  test("yields as many bytes as announced", () => {
    const mailbox = aMailbox();

    for (let index = 0; index < 100; index++) {
      expect(contentOf(mailbox, "inbox", index)).toHaveLength(mailbox.item("inbox", index).payloadBytes);
    }
  });

  test("sizes keep the median and the mean asked for", () => {
    const mailbox = aMailbox({ items: 20_000, layout: "inbox-only" });
    const sizes = Array.from({ length: 20_000 }, (_, i) => mailbox.item("inbox", i).payloadBytes).sort((a, b) => a - b);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;

    expect((sizes[10_000] ?? 0) / 24_000).toBeCloseTo(1, 1);
    expect(mean / 75_000).toBeCloseTo(1, 1);
    expect(sizes[0]).toBeGreaterThanOrEqual(1024);
  });

  test("fixed sizes are fixed", () => {
    expect(contentOf(aMailbox({ bytes: { fixed: 12_345 } }), "inbox", 3)).toHaveLength(12_345);
  });

  test("content compresses as mail does: in part", () => {
    const mailbox = aMailbox({ items: 60, layout: "inbox-only" });
    const all = Buffer.concat(Array.from({ length: 60 }, (_, i) => contentOf(mailbox, "inbox", i)));

    const ratio = gzipSync(all).length / all.length;

    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(0.9);
  });

  test("search keys are all different and dates rise with the index", () => {
    const mailbox = aMailbox({ items: 5000, layout: "inbox-only" });
    const items = Array.from({ length: 5000 }, (_, i) => mailbox.item("inbox", i));
    const received = items.map((item) => item.received ?? "");

    expect(new Set(items.map((item) => item.searchKey)).size).toBe(5000);
    expect(received.toSorted()).toEqual(received);
  });

  test("refuses an item that is not there", () => {
    expect(() => aMailbox().item("inbox", 1000)).toThrow(RangeError);
  });
});
