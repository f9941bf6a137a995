import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { getFolders } from "../../../functions/browse/list-folders.http.ts";
import { getItems } from "../../../functions/browse/list-items.http.ts";
import { partName } from "../../../shared/vault/names.ts";
import { reference } from "../../../shared/vault/part-writer.ts";
import { writeManifest } from "../../../shared/vault/snapshots.ts";
import { aKey, aManifest, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { aReading, call } from "./a-vault.ts";

const PARTS = 5;
const PART_RECORDS = 20_000;
const MIB = 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Writes whole parts, since the vault's writer checks each record, which takes long. */
const aLargeSnapshot = async () => {
  const reading = await aReading([[[]]]);
  const records = Array.from({ length: PART_RECORDS }, (_, n) => aPut({ id: `@-${n}`, subject: `Message ${n}` }));
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const parts = [];
  for (let part = 0; part < PARTS; part += 1) {
    const name = partName(aKey, snapshotAt(1), `p${part}`);
    const body = gzipSync(lines.replaceAll("@", `${part}`), { level: 1 });
    await reading.vault.create(name, body);
    parts.push(reference(name, body, PART_RECORDS));
  }
  await writeManifest(reading.vault, aManifest({ id: snapshotAt(1), parts }));
  return reading;
};

/** Measures the growth of the process's memory at each read of a blob. */
const measured = ({ vault, ...reading }: Awaited<ReturnType<typeof aReading>>) => {
  const heldBytes = (): number => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = heldBytes();
  let max = before;
  const readWhole = (name: string) => {
    max = Math.max(max, heldBytes());
    return vault.readWhole(name);
  };
  return { ...reading, vault: { ...vault, readWhole }, growthMib: () => (Math.max(max, heldBytes()) - before) / MIB };
};

test("a snapshot of 100,000 items is folded and paged without holding it in memory", async () => {
  const { growthMib, ...reading } = measured(await aLargeSnapshot());
  const params = { mailbox: aKey, id: snapshotAt(1) };

  const folders = await call(getFolders(reading), params);
  expect(JSON.parse(folders.text)).toMatchObject({ items: PARTS * PART_RECORDS });

  const found: string[] = [];
  for (let page: string | undefined = ""; page !== undefined && found.length < 3_000; ) {
    const { body } = await call(getItems(reading), params, { pageSize: 1_000, q: "99", ...(page && { page }) });
    found.push(...body.items.map(({ id }) => id));
    page = body.next;
  }
  expect([found[0], new Set(found).size]).toEqual([`${PARTS - 1}-19999`, found.length]);
  expect(growthMib()).toBeLessThan(40);
});
