import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MailboxKey, RunId, runId, runIdAfter, runStart } from "../../../shared/contracts/ids.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";

describe("run id", () => {
  test("is the start in UTC, its milliseconds, and four characters of the guid", () => {
    expect(runId(new Date("2026-11-22T01:00:00.987Z"), "00000000-0000-5000-8000-000000000000")).toBe(
      "20261122T010000Z-yv2222",
    );
    expect(runId(new Date("2026-11-22T01:00:00Z"), "ffffffff-0000-5000-8000-000000000000")).toBe(
      "20261122T010000Z-22zzzz",
    );
  });

  test("sorts by time, to the millisecond, and is always valid", () => {
    const when = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:58Z"), noInvalidDate: true });
    fc.assert(
      fc.property(when, fc.integer({ min: 1, max: 1_500 }), fc.uuid(), fc.uuid(), (a, laterMs, guidA, guidB) => {
        const [first, second] = [runId(a, guidA), runId(new Date(a.getTime() + laterMs), guidB)];
        expect(RunId.parse(first)).toBe(first);
        expect(first < second).toBe(true);
      }),
    );
  });

  test.each([
    "",
    "20261122T010000Z",
    "20261122T010000Z-AAAAAA",
    "20261122T010000Z-aaaaaa/..",
    "20261122T010000Z-aaaaa1",
  ])("refuses %j", (text) => {
    expect(RunId.safeParse(text).success).toBe(false);
  });
});

describe("runIdAfter", () => {
  const when = fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:58Z"), noInvalidDate: true });

  test("returns an id that sorts after the other: its own where it does", () => {
    fc.assert(
      fc.property(when, when, fc.uuid(), fc.uuid(), (a, b, guidA, guidB) => {
        const [id, other] = [runId(a, guidA), runId(b, guidB)];
        const after = runIdAfter(id, other);
        expect(RunId.parse(after)).toBe(after);
        expect(after > other).toBe(true);
        if (id > other) expect(after).toBe(id);
      }),
    );
  });

  test("is the next millisecond's otherwise, and no two runs' the same", () => {
    const other = runId(new Date("2026-12-25T01:00:00.999Z"), "ffffffff");
    const [one, two] = ["aaaaaaaa", "bbbbbbbb"].map((guid) => runId(new Date("2026-11-22T01:00:00Z"), guid));
    expect(runIdAfter(one ?? "", other)).toMatch(/^20261225T010001Z-22/);
    expect(runIdAfter(one ?? "", other)).not.toBe(runIdAfter(two ?? "", other));
  });
});

describe("runStart", () => {
  test("returns when a run began, to the second", () => {
    expect(runStart(runId(new Date("2026-11-22T01:02:03.987Z"), "00000000-0000-5000-8000-000000000000"))).toEqual(
      new Date("2026-11-22T01:02:03Z"),
    );
  });
});

describe("mailbox key", () => {
  test("is the start of the base32 SHA-256 of the mailbox id", () => {
    // SHA-256("abc") is ba7816bf 8f01cfea 414140de 5dae2223 b00361a3..., as in FIPS 180-2.
    expect(mailboxKey("abc")).toBe("xj4bnp4pahh6uqkbidpf3lrceo");
  });

  test("tells mailboxes apart whose ids differ in case only", () => {
    expect(mailboxKey("MBX:a@b")).not.toBe(mailboxKey("MBX:A@b"));
  });

  test("is valid for any id, and does not show it", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (id) => {
        expect(MailboxKey.safeParse(mailboxKey(id)).success).toBe(true);
      }),
    );
    expect(mailboxKey("adele@contoso.example")).not.toContain("adele");
  });
});
