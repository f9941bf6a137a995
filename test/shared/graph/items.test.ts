import { describe, expect, test } from "vitest";
import { deltaItems, eachItem, findItem, listItems } from "../../../shared/graph/items.ts";
import { ItemFacts } from "../../../shared/vault/records.ts";
import { all } from "../vault/samples.ts";
import { aGraph } from "./a-graph.ts";

const mailbox = { id: "MBX:a@b", kind: "primary" } as const;

const whole = {
  id: "1",
  changeKey: "k",
  type: "IPM.Note",
  size: 5,
  createdDateTime: "2024-05-01T10:00:00+02:00",
  lastModifiedDateTime: "2024-05-02T10:00:00.1234567Z",
  categories: ["red", "blue"],
  singleValueExtendedProperties: [
    { id: "String 0x37", value: "Hello" },
    { id: "String 0x5d01", value: "a@contoso.example" },
  ],
};
type Whole = Partial<Record<keyof typeof whole, unknown>>;

const without = (key: keyof typeof whole): Whole => {
  const { [key]: _, ...rest } = whole;
  return rest;
};

/** Values of an item that are not of the documented form, what is known of the item then, and where it is odd. */
const ODD: [title: string, odd: Whole, known: Whole, where: string][] = [
  ["a negative size", { size: -1 }, without("size"), "size"],
  ["half a byte", { size: 0.5 }, without("size"), "size"],
  ["a size that is a string", { size: "5" }, without("size"), "size"],
  ["a null category", { categories: ["red", null] }, { ...whole, categories: ["red"] }, "categories.1"],
  ["categories that are a string", { categories: "red" }, without("categories"), "categories"],
  ["a time without a zone", { createdDateTime: "2024-05-01T10:00:00" }, without("createdDateTime"), "createdDateTime"],
  ["an empty time", { lastModifiedDateTime: "" }, without("lastModifiedDateTime"), "lastModifiedDateTime"],
  [
    "a time that is of the year 10000 in UTC",
    { createdDateTime: "9999-12-31T23:59:59-01:00" },
    without("createdDateTime"),
    "createdDateTime",
  ],
  ["a version that is a number", { changeKey: 7 }, without("changeKey"), "changeKey"],
  ["a class that is an object", { type: {} }, without("type"), "type"],
  [
    "a number as an extended property",
    { singleValueExtendedProperties: [{ id: "String 0x37", value: 5 }, whole.singleValueExtendedProperties[1]] },
    { ...whole, singleValueExtendedProperties: [whole.singleValueExtendedProperties[1]] },
    "singleValueExtendedProperties.0.value",
  ],
];

describe("an item", () => {
  test.each(ODD)("with %s is listed, as if Graph had left that out", async (_, odd, known, where) => {
    const good = { ...whole, id: "2" };
    const value = [{ ...whole, ...odd }, good];
    const { client } = await aGraph([{ body: { value } }, { body: { value: [known, good] } }]);

    const page = await listItems(client, mailbox, "f");

    const problems = [{ id: "1", what: `${where} is not of the documented form` }];
    expect(page).toEqual({ ...(await listItems(client, mailbox, "f")), problems });
    expect(page.value).toHaveLength(2);
    for (const item of page.value) expect(ItemFacts.parse(item)).toEqual(item);
  });

  test.each(ODD)("with %s is found by its id", async (_, odd, known) => {
    const { client } = await aGraph([{ body: { ...whole, ...odd } }, { body: known }]);

    expect(await findItem(client, mailbox, "f", "1")).toEqual(await findItem(client, mailbox, "f", "1"));
  });

  test.each(ODD)("with %s is in a delta", async (_, odd, known, where) => {
    const links = { "@odata.deltaLink": "{origin}/v1.0/d" };
    const { client } = await aGraph([
      { body: { value: [{ ...whole, ...odd }], ...links } },
      { body: { value: [known], ...links } },
    ]);

    const page = await deltaItems(client, mailbox, "f");

    const problems = [{ id: "1", what: `${where} is not of the documented form` }];
    expect(page).toEqual({ ...(await deltaItems(client, mailbox, "f")), problems });
  });

  test("without a usable id is a problem alone", async () => {
    const { client } = await aGraph([{ body: { value: [{ ...whole, id: 1 }, { ...whole, id: "" }, null, whole] } }]);

    const page = await listItems(client, mailbox, "f");

    expect(page.value).toMatchObject([{ id: "1", subject: "Hello", sizeBytes: 5 }]);
    expect(page.problems).toEqual(Array.from({ length: 3 }, () => ({ what: "an element without an id" })));
  });
});

describe("a removal in a delta", () => {
  const removalsOf = async (removal: unknown) => {
    const value = [
      { id: "1", changeKey: "k", type: "IPM.Note", "@removed": removal },
      { id: "2", "@removed": { reason: "deleted" } },
    ];
    const { client } = await aGraph([{ body: { value, "@odata.deltaLink": "{origin}/v1.0/d" } }]);
    return deltaItems(client, mailbox, "f");
  };
  const second = { id: "2", folderId: "f", removed: "deleted" };

  test.each([[{}], [{ reason: "" }], [{ reason: null }]])(
    "with the reason of %j is one for an unknown reason",
    async (removal) => {
      const { value, problems } = await removalsOf(removal);

      expect(value).toEqual([{ id: "1", folderId: "f", removed: "unknown" }, second]);
      expect(problems).toContainEqual({ id: "1", what: "@removed has no reason" });
    },
  );

  test.each([[null], [true], ["deleted"]])(
    "that is %j is unclear: only the id is returned, to be looked up",
    async (removal) => {
      const { value, problems } = await removalsOf(removal);

      expect(value).toEqual([{ id: "1", folderId: "f", changeKey: "" }, second]);
      expect(problems).toEqual([{ id: "1", what: "@removed is not of the documented form" }]);
    },
  );
});

test("a folder's listing that leads back to itself ends, with an error", async () => {
  const { client, asked } = await aGraph([{ body: { value: [whole], "@odata.nextLink": "{origin}/v1.0/again" } }]);

  await expect(all(eachItem(client, mailbox, "f"))).rejects.toThrow("asked for before");
  expect(asked).toHaveLength(1 + 3);
});
