import { describe, expect, test } from "vitest";
import { itemFilter } from "../../../shared/vault/item-filter.ts";
import { aPut } from "./samples.ts";

const item = aPut({
  folderId: "inbox",
  type: "IPM.Note.SMIME",
  subject: "Lunch on Monday",
  from: "Ada Berg",
  received: "2026-11-20T08:00:00Z",
  hasAttachments: true,
});

describe("itemFilter", () => {
  test.each([
    [true, {}],
    [true, { q: "LUNCH" }],
    [true, { q: "berg" }],
    [false, { q: "dinner" }],
    [true, { type: "ipm.note" }],
    [false, { type: "IPM.Contact" }],
    [true, { from: "2026-11-20T08:00:00Z", to: "2026-11-20T08:00:01Z" }],
    [true, { from: "2026-11-20", to: "2026-11-21" }],
    [false, { to: "2026-11-20T09:00:00+01:00" }],
    [false, { from: "2026-11-20T08:00:01Z" }],
    [true, { hasAttachments: true }],
    [false, { hasAttachments: false }],
    [false, { q: "lunch", hasAttachments: false }],
  ])("answers %s for %j", (passes, filter) => {
    expect(itemFilter(filter, "inbox")(item)).toBe(passes);
    expect(itemFilter(filter, "sent")(item)).toBe(false);
  });

  test("takes an item without these facts for one without attachments, received when it was created", () => {
    const bare = aPut({ created: "2026-11-20T08:00:00Z" });

    expect(itemFilter({ hasAttachments: false, from: "2026-11-20", to: "2026-11-21" }, undefined)(bare)).toBe(true);
  });
});
