import { describe, expect, test } from "vitest";
import { anEmulator, idsOf } from "./kit.ts";

const bigPages = { prefer: "odata.maxpagesize=500" };

describe("an odd element", () => {
  test.each([
    ["negative-size", "size", expect.toSatisfy((size) => Number(size) < 0)],
    ["null-category", "categories", expect.arrayContaining([null])],
    ["time-without-zone", "createdDateTime", expect.stringMatching(/^[-\d]{10}T[:\d]{8}$/)],
    ["empty-time", "lastModifiedDateTime", ""],
  ] as const)("is odd in a list, a delta and alone: %s", async (oddity, property, odd) => {
    const { base, emulator, ask, readAll } = await anEmulator();
    const [id = "", other = ""] = idsOf((await ask(`${base}/folders/inbox/items`)).body.value ?? []);
    await emulator.admin["add-fault"]({ kind: "odd-element", ids: [id], oddities: [oddity] });

    const listed = await readAll(`${base}/folders/inbox/items`);
    const changed = await readAll(`${base}/folders/inbox/items/delta`);
    const alone = await ask(`${base}/folders/inbox/items/${id}`);
    const selected = await ask(`${base}/folders/inbox/items/${id}?$select=type`);

    const shown = [...listed.values, ...changed.values, alone.body].filter((item) => item["id"] === id);
    expect(shown.map((item) => item[property])).toEqual([odd, odd, odd]);
    const same = await ask(`${base}/folders/inbox/items/${other}`);
    expect(same.body[property]).not.toEqual(odd);
    expect(selected.body).not.toHaveProperty(property);
  });

  test("a folder may have no name, or be its own parent", async () => {
    const { base, emulator, mailbox, ask, readAll, folderId } = await anEmulator();
    const inbox = await folderId("inbox");
    const drafts = await folderId("drafts");
    await emulator.admin["add-fault"]({ kind: "odd-element", mailbox, ids: [inbox], oddities: ["null-name"] });
    await emulator.admin["add-fault"]({ kind: "odd-element", mailbox, ids: [drafts], oddities: ["own-parent"] });

    const listed = await readAll(`${base}/folders`);
    const changed = await readAll(`${base}/folders/delta`);

    for (const { values } of [listed, changed]) {
      expect(values.find(({ id }) => id === inbox)?.["displayName"]).toBeNull();
      expect(values.find(({ id }) => id === drafts)?.["parentFolderId"]).toBe(drafts);
    }
    expect((await ask(`${base}/folders/inbox`)).body["displayName"]).toBeNull();
  });

  test.each([
    ["removed-null", null],
    ["removed-without-reason", {}],
  ] as const)("a removal may be %s, of folders and of items", async (oddity, removed) => {
    const { base, emulator, mailbox, readAll } = await anEmulator();
    const folder = (await emulator.admin["create-folder"]({ mailbox, displayName: "Gone" })).id;
    const items = await readAll(`${base}/folders/inbox/items/delta`, bigPages);
    const folders = await readAll(`${base}/folders/delta`, bigPages);
    const [item = ""] = idsOf(items.values);
    await emulator.admin["remove-item"]({ mailbox, item });
    await emulator.admin["remove-folder"]({ mailbox, folder });
    await emulator.admin["add-fault"]({ kind: "odd-element", oddities: [oddity] });

    expect((await readAll(items.deltaLink)).values).toEqual([{ id: item, "@removed": removed }]);
    expect((await readAll(folders.deltaLink)).values).toContainEqual({ id: folder, "@removed": removed });
  });

  test("is drawn by a seed: the same ones in every answer", async () => {
    const { base, emulator, readAll } = await anEmulator();
    const plain = (await readAll(`${base}/folders/inbox/items?$top=500`)).values;
    const oddOnes = async (seed: string) => {
      const { id } = await emulator.admin["add-fault"]({ kind: "odd-element", seed, rate: 0.3, endpoint: "items*" });
      const { values } = await readAll(`${base}/folders/inbox/items?$top=500`);
      const again = await readAll(`${base}/folders/inbox/items/delta`, bigPages);
      expect(again.values).toEqual(values);
      await emulator.admin["clear-faults"]({ id });
      return values.filter((item, i) => JSON.stringify(item) !== JSON.stringify(plain[i]));
    };

    const first = await oddOnes("one");
    const second = await oddOnes("two");

    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(plain.length / 2);
    expect(await oddOnes("one")).toEqual(first);
    expect(idsOf(second)).not.toEqual(idsOf(first));
  });
});

describe("an odd page", () => {
  const LISTS = [
    ["items", "/folders/inbox/items"],
    ["items-delta", "/folders/inbox/items/delta"],
    ["folders", "/folders"],
    ["folders-delta", "/folders/delta"],
  ] as const;

  test.each(LISTS)("may lead to itself again: %s", async (endpoint, path) => {
    const { base, emulator, ask, readAll } = await anEmulator();
    const plain = await readAll(base + path);
    await emulator.admin["add-fault"]({ kind: "odd-page", endpoint, oddity: "repeats", after: 1, count: 2 });

    const first = await ask(base + path);
    const second = await ask(first.body["@odata.nextLink"] ?? "");
    const third = await ask(second.body["@odata.nextLink"] ?? "");
    const whole = await readAll(third.body["@odata.nextLink"] ?? "");

    expect(second.body["@odata.nextLink"]).toBe(first.body["@odata.nextLink"]);
    expect(third.body.value).toEqual(second.body.value);
    expect(second.body["@odata.deltaLink"]).toBeUndefined();
    expect([...(first.body.value ?? []), ...whole.values]).toEqual(plain.values);
  });

  test.each(LISTS)("may have neither link: %s", async (endpoint, path) => {
    const { base, emulator, ask } = await anEmulator({ settings: { behaviours: { hiddenFoldersListed: true } } });
    await emulator.admin["add-fault"]({ kind: "odd-page", endpoint, oddity: "no-link", count: 1 });

    const { body, text } = await ask(base + path);
    const again = await ask(base + path);

    expect(Object.keys(JSON.parse(text))).toEqual(["@odata.context", "value"]);
    expect(body.value).toEqual(again.body.value);
    expect(again.body["@odata.nextLink"]).toBeDefined();
  });

  test.each(LISTS)("may be followed by others without end: %s", async (endpoint, path) => {
    const { base, emulator, ask } = await anEmulator();
    await emulator.admin["add-fault"]({ kind: "odd-page", endpoint, oddity: "endless" });

    const asked = new Set<string>();
    const sizes: number[] = [];
    for (let link = base + path; sizes.length < 12; ) {
      asked.add(link);
      const { status, body } = await ask(link);
      expect(status).toBe(200);
      sizes.push(body.value?.length ?? 0);
      link = body["@odata.nextLink"] ?? "";
    }

    expect(asked.size).toBe(12);
    expect(sizes).toEqual([10, ...Array.from({ length: 11 }, () => 0)]);
  });

  test.each(LISTS)("may show each element twice: %s", async (endpoint, path) => {
    const { base, emulator, readAll } = await anEmulator();
    const plain = await readAll(base + path);
    await emulator.admin["add-fault"]({ kind: "odd-page", endpoint, oddity: "doubled" });

    const { values } = await readAll(base + path);

    expect(values).toEqual(plain.values.flatMap((value) => [value, value]));
  });
});
