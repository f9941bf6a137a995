import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { type Finding, findingList } from "../../../shared/vault/finding.ts";
import { baseName, headName, manifestName, packName, partName } from "../../../shared/vault/names.ts";
import type { CatalogueRecord, PutRecord } from "../../../shared/vault/records.ts";
import { readManifest, writeManifest } from "../../../shared/vault/snapshots.ts";
import { keptSnapshots, verifyMailbox } from "../../../shared/vault/verify-mailbox.ts";
import { type SnapshotPosition, verifySnapshot } from "../../../shared/vault/verify-snapshot.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import {
  aSoundVault,
  inbox,
  type SoundVault,
  soundKey,
  writePack,
  writeRecords,
  writeSnapshots,
} from "./a-sound-vault.ts";
import { snapshotAt } from "./samples.ts";

const verify = async (vault: SoundVault) => {
  const list = findingList();
  const looked = await verifyMailbox(vault, soundKey, list.report);
  return { ...looked, findings: list.findings };
};

const findingsOf = async (vault: SoundVault): Promise<readonly Finding[]> => (await verify(vault)).findings;
const blobsOf = (findings: readonly Finding[]): string[] => [...new Set(findings.map(({ blob }) => blob))];
const bodyOf = (vault: SoundVault, name: string): Buffer => vault.blobs.get(name)?.body ?? expect.fail(`no ${name}`);

/** Replaces the content of a blob while `look` runs. */
const altered = async <T>(vault: SoundVault, name: string, body: Buffer, look: () => Promise<T>): Promise<T> => {
  const stored = vault.blobs.get(name) ?? expect.fail(`no ${name}`);
  const { body: before } = stored;
  stored.body = body;
  try {
    return await look();
  } finally {
    stored.body = before;
  }
};

const packOf = (run: number, chunk = 0): string => packName(soundKey, snapshotAt(run), chunk, 0);

describe("a sound vault", () => {
  test("is verified as a whole, without findings", async () => {
    const vault = await aSoundVault();
    const packs = [...vault.blobs].filter(([name]) => name.endsWith(".zip"));
    const bytes = packs.reduce((sum, [, { body }]) => sum + body.length, 0);

    expect(await verify(vault)).toEqual({ snapshots: 3, packs: 5, items: 7, bytes, findings: [] });
  });

  test("may have blobs that no snapshot needs", async () => {
    const vault = await aSoundVault();
    await vault.create(`${soundKey}/packs/${snapshotAt(1)}/c9-b0.zip`, Buffer.from("a run that crashed"));
    await vault.create(`${soundKey}/notes.txt`, Buffer.from("not the vault's"));

    expect(await findingsOf(vault)).toEqual([]);
  });
});

describe("an altered vault", () => {
  test("has a finding for every one of 500 flipped bits, with the name of its blob", async () => {
    const vault = await aSoundVault();
    const names = [...vault.blobs.keys()];
    const ends: number[] = [];
    for (const name of names) ends.push((ends.at(-1) ?? 0) + bodyOf(vault, name).length);
    const places = fc.sample(fc.tuple(fc.nat((ends.at(-1) ?? 0) - 1), fc.nat(7)), 500);

    for (const [place, bit] of places) {
      const index = ends.findIndex((end) => place < end);
      const name = names[index] ?? "";
      const body = Buffer.from(bodyOf(vault, name));
      const at = place - (ends[index - 1] ?? 0);
      body[at] = (body[at] ?? 0) ^ (1 << bit);
      const findings = await altered(vault, name, body, () => findingsOf(vault));
      expect(blobsOf(findings), `bit ${bit} of byte ${at} of ${name}`).toEqual([name]);
    }
  }, 60_000);

  test("has a finding for every blob that is cut off, and for every one that goes on", async () => {
    const vault = await aSoundVault();
    for (const name of vault.blobs.keys()) {
      const body = bodyOf(vault, name);
      const cuts = [0, 1, Math.floor(body.length / 2), body.length - 1].map((length) => body.subarray(0, length));
      for (const other of [...cuts, Buffer.concat([body, Buffer.of(0)]), Buffer.concat([body, body])]) {
        const findings = await altered(vault, name, other, () => findingsOf(vault));
        expect(blobsOf(findings), `${other.length} bytes of ${name}`).toEqual([name]);
      }
    }
  });

  test("has a finding for every blob that is missing, if a snapshot needs it", async () => {
    const vault = await aSoundVault();
    const isNeeded = (name: string) => !name.includes("/base-");
    await vault.remove(baseName(soundKey, snapshotAt(1)));
    for (const [name, stored] of [...vault.blobs].filter(([name]) => isNeeded(name))) {
      vault.blobs.delete(name);
      const findings = await findingsOf(vault);
      expect(blobsOf(findings), name).toEqual([name]);
      expect(findings[0]?.problem).toMatch(/missing/);
      vault.blobs.set(name, stored);
    }
  });

  test("has findings for two blobs that changed places", async () => {
    const vault = await aSoundVault();
    for (const [a, b] of [
      [packOf(0), packOf(1)],
      [manifestName(soundKey, snapshotAt(0)), manifestName(soundKey, snapshotAt(1))],
      [partName(soundKey, snapshotAt(0), "p0"), partName(soundKey, snapshotAt(0), "p1")],
    ] as const) {
      const [bodyA, bodyB] = [bodyOf(vault, a), bodyOf(vault, b)];
      const findings = await altered(vault, a, bodyB, () => altered(vault, b, bodyA, () => findingsOf(vault)));
      expect(blobsOf(findings).toSorted()).toEqual([a, b].toSorted());
    }
  });

  test("names the item whose stream has changed, and no other", async () => {
    const vault = await aSoundVault();
    const pack = packOf(0);
    const body = Buffer.from(bodyOf(vault, pack));
    const at = 35 + 10;
    body[at] = (body[at] ?? 0) ^ 0x10;

    expect(await altered(vault, pack, body, () => findingsOf(vault))).toEqual([
      { blob: pack, item: "item 0/0/0", problem: expect.stringMatching(/stream/) },
    ]);
  });

  test("has a finding for a manifest that was rewritten with a correct checksum", async () => {
    for (const run of [0, 2]) {
      const vault = await aSoundVault();
      const name = manifestName(soundKey, snapshotAt(run));
      const { manifest } = (await readManifest(vault, soundKey, snapshotAt(run))) ?? expect.fail();
      await vault.remove(name);
      await writeManifest(vault, { ...manifest, trigger: "event" });

      expect(await findingsOf(vault)).toEqual([
        { blob: name, problem: expect.stringMatching(/is not the manifest that the (next snapshot|head) names/) },
      ]);
    }
  });

  test.each([headName(soundKey), manifestName(soundKey, snapshotAt(1))])(
    "has a finding for %s without its checksum",
    async (name) => {
      const vault = await aSoundVault();
      const { sum: _, ...rest } = JSON.parse(bodyOf(vault, name).toString());
      const findings = await altered(vault, name, Buffer.from(JSON.stringify(rest)), () => findingsOf(vault));

      expect(findings[0]).toMatchObject({ blob: name, problem: expect.stringMatching(/no sum/) });
    },
  );

  test("has all findings, also when several blobs are wrong", async () => {
    const vault = await aSoundVault();
    for (const chunk of [0, 1]) {
      const body = bodyOf(vault, packOf(0, chunk));
      body[40] = (body[40] ?? 0) ^ 1;
      body[body.length - 90] = (body[body.length - 90] ?? 0) ^ 1;
    }
    await vault.remove(packOf(1));

    expect(blobsOf(await findingsOf(vault)).toSorted()).toEqual([packOf(0), packOf(0, 1), packOf(1)].toSorted());
  });
});

describe("a catalogue that differs from its packs", () => {
  const withRecord = async (change: (record: PutRecord) => PutRecord) => {
    const vault = memoryBlobs();
    const records = await writePack(vault, { run: 0, items: [Buffer.alloc(300, 1), Buffer.from("a letter")] });
    await writeSnapshots(vault, [{ run: 0, parts: [records.map((record, n) => (n === 1 ? change(record) : record))] }]);
    return findingsOf(vault);
  };

  test.each<[string, Partial<PutRecord>]>([
    ["offset", { offset: 3 }],
    ["length", { storedBytes: 4 }],
    ["method", { method: "deflate" }],
    ["raw length", { rawBytes: 9 }],
    ["hash", { sha256: "0".repeat(64) }],
    ["id", { id: "another" }],
    ["subject", { subject: "another" }],
  ])("is found by an item's %s", async (_, change) => {
    const findings = await withRecord((record) => ({ ...record, ...change }));

    expect(findings.length).toBeGreaterThan(0);
    expect(findings.every(({ blob, item }) => blob === packOf(0) && item === (change.id ?? "item 0/0/1"))).toBe(true);
  });

  test("is found where it names a pack of another mailbox", async () => {
    const elsewhere = packName("a".repeat(26), snapshotAt(0), 0, 0);
    const findings = await withRecord((record) => ({ ...record, pack: elsewhere }));

    expect(findings).toMatchObject([{ blob: partName(soundKey, snapshotAt(0), "p0"), item: "item 0/0/1" }]);
  });
});

describe("a vault from which retention removed snapshots", () => {
  /** Three snapshots, the middle one with a base beside it. */
  const aVaultWithBase = async () => {
    const vault = memoryBlobs();
    const first = await writePack(vault, { run: 0, items: [Buffer.from("kept"), Buffer.from("removed")] });
    const dead = await writePack(vault, { run: 0, chunk: 1, items: [Buffer.from("dead")] });
    const second = await writePack(vault, { run: 1, items: [Buffer.from("new")] });
    const third = await writePack(vault, { run: 2, items: [Buffer.from("newest")] });
    const removals = [first[1], dead[0]].map((record = expect.fail()): CatalogueRecord => {
      return { v: 1, op: "remove", id: record.id, folderId: record.folderId, reason: "deleted" };
    });
    await writeRecords(vault, 1, removals);
    await writeSnapshots(vault, [
      { run: 0, parts: [[...first, ...dead]] },
      { run: 1, parts: [[...second, ...removals]] },
      { run: 2, parts: [third] },
    ]);
    await compactSnapshot(vault, soundKey, snapshotAt(1));
    const drop = async (): Promise<void> => {
      for (const name of [manifestName(soundKey, snapshotAt(0)), partName(soundKey, snapshotAt(0), "p0"), packOf(0, 1)])
        await vault.remove(name);
    };
    return { vault, drop };
  };

  test("reads each pack once while all snapshots are kept", async () => {
    const { vault } = await aVaultWithBase();

    expect(await verify(vault)).toMatchObject({ snapshots: 3, packs: 5, items: 5, findings: [] });
  });

  test("is sound when everything below a base is removed, and the packs that the base needs are read", async () => {
    const { vault, drop } = await aVaultWithBase();
    await drop();

    expect(await verify(vault)).toMatchObject({ snapshots: 2, packs: 4, items: 3, findings: [] });
  });

  test("is damaged when a pack is missing that the base still needs", async () => {
    const { vault, drop } = await aVaultWithBase();
    await drop();
    await vault.remove(packOf(0));

    expect(await findingsOf(vault)).toEqual([{ blob: packOf(0), problem: "is missing, with 1 items" }]);
  });

  test("is damaged when the base is missing that replaced removed snapshots", async () => {
    const { vault, drop } = await aVaultWithBase();
    await drop();
    await vault.remove(baseName(soundKey, snapshotAt(1)));

    expect(blobsOf(await findingsOf(vault))).toEqual([manifestName(soundKey, snapshotAt(0))]);
  });

  test("has no finding for a snapshot that is removed while it is verified", async () => {
    const { vault, drop } = await aVaultWithBase();
    const [snapshot = expect.fail()] = await keptSnapshots(vault, soundKey);
    const list = findingList();
    await drop();
    await verifySnapshot(vault, snapshot, { report: list.report });

    expect(list.findings).toEqual([]);
  });
});

describe("a verification in pieces", () => {
  test("reads every pack once, also when it stops often", async () => {
    const vault = memoryBlobs();
    const records: PutRecord[][] = [];
    for (let chunk = 0; chunk < 11; chunk += 1)
      records.push(await writePack(vault, { run: 0, chunk, items: [Buffer.from(`letter ${chunk}`)] }));
    await writeSnapshots(vault, [{ run: 0, parts: [records.slice(0, 9).flat(), records.slice(9).flat()] }]);
    const [snapshot = expect.fail()] = await keptSnapshots(vault, soundKey);
    const list = findingList();

    const places: SnapshotPosition[] = [];
    let packs = 0;
    for (let from: SnapshotPosition | undefined = { part: 0, pack: 0 }; from !== undefined; ) {
      places.push(from);
      const { next, ...looked }: Awaited<ReturnType<typeof verifySnapshot>> = await verifySnapshot(vault, snapshot, {
        from,
        mayGoOn: () => false,
        report: list.report,
      });
      packs += looked.packs;
      from = next;
    }

    expect(places).toEqual([
      { part: 0, pack: 0 },
      { part: 0, pack: 4 },
      { part: 0, pack: 8 },
      { part: 1, pack: 0 },
    ]);
    expect(packs).toBe(11);
    expect(list.findings).toEqual([]);
  });
});

describe("findings", () => {
  test("are listed up to a thousand, and all counted", () => {
    const list = findingList();
    for (let n = 0; n < 1_200; n += 1) list.report({ blob: `${inbox.id} ${n}`, problem: "is missing" });
    list.report({ blob: `${inbox.id} 0`, problem: "is missing" });

    expect(list.count).toBe(1_200);
    expect(list.findings).toHaveLength(1_000);
  });
});
