import { describe, expect, test } from "vitest";
import { collectMetDamage, noteMetDamage } from "../../../functions/verify/met-damage.ts";
import { readVerification, type Verification } from "../../../functions/verify/verification-state.ts";
import { jsonBytes } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { aDamagedMailbox } from "./a-damaged-mailbox.ts";

const ITEMS = 45;

const aBackup = async () => {
  const kit = await aDamagedMailbox({ items: ITEMS });
  const first = await kit.back();
  const packs = [...new Set((await kit.stored(first.snapshotId)).map(({ pack }) => pack))];
  expect(packs.length).toBeGreaterThan(2);
  const damage = {
    lost: (name = "") => kit.vault.blobs.delete(name),
    altered: (name = "") => {
      const { body } = kit.vault.blobs.get(name) ?? expect.fail(name);
      body[100] = (body[100] ?? 0) ^ 1;
    },
  };
  return { ...kit, first, packs, damage };
};

describe("a pack that verification found damaged", () => {
  test.each([
    ["lost", false],
    ["altered", false],
    ["lost", true],
  ] as const)("%s: the next run (full: %s) stores its items again, and no others", async (how, full) => {
    const { back, verify, coverage, readable, stored, first, packs, damage } = await aBackup();
    const held = (await stored(first.snapshotId)).filter(({ pack }) => pack === packs[1]);
    damage[how](packs[1]);
    expect((await verify()).map(({ blob }) => blob)).toContain(packs[1]);
    expect((await coverage()).state).toBe("damaged");

    const second = await back({ full });

    expect(second).toMatchObject({ quiet: false, state: "complete", items: ITEMS });
    expect(second.totals.exported).toBe(held.length);
    expect(await readable(second.snapshotId)).toHaveLength(ITEMS);
    expect((await coverage()).state).not.toBe("damaged");
  });

  test("and one that nobody has verified: a full run looks whether packs are there", async () => {
    const { back, readable, stored, first, packs, damage } = await aBackup();
    const held = (await stored(first.snapshotId)).filter(({ pack }) => pack === packs[1]);
    damage.lost(packs[1]);

    const full = await back({ full: true });

    expect(full.totals.exported).toBe(held.length);
    expect(await readable(full.snapshotId)).toHaveLength(ITEMS);
  });

  test("is found again as the damage of an older snapshot, which costs no run anything", async () => {
    const { back, verify, coverage, state, mailbox, packs, damage } = await aBackup();
    damage.lost(packs[0]);
    await verify();
    const { runId } = await back();

    const findings = await verify();
    expect(findings.map(({ blob, superseded }) => [blob, superseded])).toEqual([[packs[0], true]]);
    expect(findings.map(({ piece }) => piece)).not.toContain(runId);
    expect((await coverage()).state).not.toBe("damaged");
    expect((await readVerification(state, mailbox.key))?.damaged).toMatchObject([{ problems: 1, superseded: 1 }]);
    expect(await back()).toMatchObject({ quiet: true });
  });

  test("whose item is gone from the mailbox: the newest snapshot needs it no more", async () => {
    const { back, verify, coverage, stored, admin, mailbox, first, packs, damage } = await aBackup();
    const [gone, ...others] = (await stored(first.snapshotId)).filter(({ pack }) => pack === packs[0]);
    damage.lost(packs[0]);
    await verify();
    await admin["remove-item"]({ mailbox: mailbox.id, item: gone?.id ?? "" });

    const second = await back();
    expect(second).toMatchObject({ items: ITEMS - 1, totals: { exported: others.length } });
    expect((await coverage()).state).not.toBe("damaged");
  });

  test("whose item cannot be exported: the mailbox stays damaged, and the run after it tries again", async () => {
    const { back, verify, coverage, readable, fault, admin, mailbox, packs, damage } = await aBackup();
    damage.lost(packs[0]);
    await verify();
    await fault({
      kind: "export-item",
      outcome: "error",
      code: "ErrorInternalServerError",
      mailbox: mailbox.id,
      rate: 1,
      count: 500,
    });
    expect(await back()).toMatchObject({ state: "partial" });
    expect((await coverage()).state).toBe("damaged");

    await admin["clear-faults"]({});
    const third = await back();
    expect(await readable(third.snapshotId)).toHaveLength(ITEMS);
    expect((await coverage()).state).not.toBe("damaged");
  });

  test("among more than the findings name: a run stores everything anew, once", async () => {
    const { back, verify, readable, state, mailbox, packs, damage } = await aBackup();
    for (const pack of packs.slice(0, 2)) damage.lost(pack);
    await verify();
    const known = (await readVerification(state, mailbox.key)) ?? expect.fail("it was not verified");
    const cut: Verification = { ...known, findings: known.findings.slice(0, 1) };
    await state.remove(`verification/${mailbox.key}.json`);
    await state.create(`verification/${mailbox.key}.json`, jsonBytes(cut));

    const second = await back();
    expect(second.totals.exported).toBe(ITEMS);
    expect(await readable(second.snapshotId)).toHaveLength(ITEMS);
    expect(await back()).toMatchObject({ quiet: true });
  });

  test("without items is found too, and concerns neither readers nor runs", async () => {
    const { back, verify, coverage, names, damage } = await aBackup();
    const [records] = names("/c999999999-");
    damage.lost(records);

    const findings = await verify();
    expect(findings).toMatchObject([{ blob: records, superseded: true, problem: expect.stringContaining("removals") }]);
    expect((await coverage()).state).not.toBe("damaged");
    expect(await back()).toMatchObject({ quiet: true });
  });
});

describe("a pack that a reader found damaged", () => {
  test("is noted, and verified with the next look at coverage: the next run stores its items again", async () => {
    const { back, coverage, readable, vault, work, state, packs, damage } = await aBackup();
    damage.lost(packs[0]);
    const error = new VaultDamageError("the pack is missing", { blob: packs[0] ?? "", itemId: "any" });
    for (const _ of [1, 2]) await noteMetDamage(work, error);
    for (const _ of [1, 2]) await collectMetDamage({ vault, work, state });
    expect([...work.blobs.keys()].filter((name) => name.startsWith("damaged/"))).toEqual([]);
    expect(await coverage()).toMatchObject({ state: "damaged", verified: { problems: 1 } });

    const second = await back();
    expect(await readable(second.snapshotId)).toHaveLength(ITEMS);
    expect((await coverage()).state).not.toBe("damaged");
  });

  test("adds nothing to what verification knows of it, or when it is sound after all", async () => {
    const { verify, coverage, vault, work, state, mailbox, packs, damage } = await aBackup();
    const [lost = "", sound = ""] = packs;
    damage.lost(lost);
    await verify();
    const before = await readVerification(state, mailbox.key);
    for (const blob of [lost, sound]) await noteMetDamage(work, new VaultDamageError("is missing", { blob }));

    await collectMetDamage({ vault, work, state });
    expect(await readVerification(state, mailbox.key)).toEqual(before);
    expect(await coverage()).toMatchObject({ verified: { problems: 1 } });
  });

  test("is forgotten when its snapshot is verified again, and is sound", async () => {
    const { verify, vault, work, state, packs } = await aBackup();
    const [pack = ""] = packs;
    const stored = vault.blobs.get(pack) ?? expect.fail(pack);
    vault.blobs.delete(pack);
    await noteMetDamage(work, new VaultDamageError("is missing", { blob: pack }));
    await collectMetDamage({ vault, work, state });
    vault.blobs.set(pack, stored);

    expect(await verify()).toEqual([]);
  });
});
