import { forgetAndPrune } from "../../../functions/retention/forget-and-prune.ts";
import { planForget } from "../../../functions/retention/forget-plan.ts";
import { runId, type SnapshotId } from "../../../shared/contracts/ids.ts";
import { RetentionPolicy } from "../../../shared/retention-policy.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import { packName, partName } from "../../../shared/vault/names.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import { type FindStored, openPack } from "../../../shared/vault/pack-writer.ts";
import { writePart } from "../../../shared/vault/part-writer.ts";
import { type CatalogueRecord, StoredItem } from "../../../shared/vault/records.ts";
import { moveHead, nameSnapshots, readHead, readManifest, writeManifest } from "../../../shared/vault/snapshots.ts";
import type { Random } from "../../faults/random.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, all, aManifest, someFacts } from "../../shared/vault/samples.ts";

/** Ends a writer, as the loss of a process does. */
class Killed extends Error {}

const HOUR_MS = 3_600_000;

type Contents = ReadonlyMap<string, string>;

interface Flight {
  readonly id: SnapshotId;
  readonly contents: Contents;
  readonly manifest: Manifest;
}

/** Counts writes to any of its blobs. The one at which it kills takes effect or not; later ones are not tried. */
const aKiller = () => {
  let left = Number.POSITIVE_INFINITY;
  let takesEffect = false;
  const write = async <T>(act: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left > 0) return act();
    if (left === 0 && takesEffect) await act();
    throw new Killed();
  };
  return {
    killAt: (writes: number, effect: boolean) => {
      left = writes;
      takesEffect = effect;
    },
    guard: (blobs: Blobs): Blobs => ({
      ...blobs,
      create: (...args) => write(() => blobs.create(...args)),
      stage: (...args) => write(() => blobs.stage(...args)),
      commit: (...args) => write(() => blobs.commit(...args)),
      replace: (...args) => write(() => blobs.replace(...args)),
      remove: (...args) => write(() => blobs.remove(...args)),
    }),
  };
};

/**
 * A mailbox that changes, and what is done to its vault, with a clock of its own. The contents of each snapshot are
 * remembered beside the vault.
 */
export const aMailboxHistory = (random: Random, policyText: string) => {
  const policy = RetentionPolicy.parse(policyText);
  const stored = memoryBlobs();
  const killer = aKiller();
  const vault = killer.guard(stored);
  const state = killer.guard(memoryBlobs());
  const snapshots = new Map<SnapshotId, Contents>();
  let live = new Map<string, string>();
  let nowMs = Date.UTC(2026, 0, 1);
  let flight: Flight | undefined;
  let changes = 0;

  const pass = (hours: number): void => {
    nowMs += hours * HOUR_MS + random.number(1, 999_999);
  };

  /** Does something that may be killed at some write; false when it was. */
  const survives = async (killWithin: number | undefined, act: () => Promise<unknown>): Promise<boolean> => {
    if (killWithin !== undefined) killer.killAt(random.number(1, killWithin), random.chance(0.5));
    try {
      await act();
      return true;
    } catch (error) {
      if (error instanceof Killed) return false;
      throw error;
    } finally {
      killer.killAt(Number.POSITIVE_INFINITY, false);
    }
  };

  const change = (): void => {
    const next = new Map(live);
    for (let count = random.number(1, 3); count > 0; count -= 1) {
      const key = `${random.oneOf(["inbox", "sent"])}\n${random.number(1, 6)}`;
      changes += 1;
      const keys = [...next.keys()];
      const moved = random.chance(0.3) ? keys[random.number(0, keys.length - 1)] : undefined;
      if (moved !== undefined) next.set(key, next.get(moved) ?? "");
      if (moved !== undefined && moved !== key) next.delete(moved);
      else if (random.chance(0.3)) next.delete(key);
      else next.set(key, `content ${changes}`);
    }
    live = next;
  };

  /** Stores what differs from the newest snapshot: packs, then parts, and the manifest that is to come. */
  const begin = async (): Promise<void> => {
    const id = runId(
      new Date(nowMs),
      random
        .number(0, 2 ** 32 - 1)
        .toString(16)
        .padStart(8, "0"),
    );
    const newest = (await readHead(vault, aKey))?.newest;
    const parent = newest && (await readManifest(vault, aKey, newest.id));
    const before: Contents = (parent && snapshots.get(parent.manifest.id)) ?? new Map();
    const contents = new Map(live);

    const changed = [...contents].filter(([key, content]) => before.get(key) !== content);
    const known = parent ? await all(foldSnapshot(stored, aKey, parent.manifest.id)) : [];
    /** What was moved is not stored again. */
    const findStored: FindStored = async ({ sha256 }) => {
      const found = known.find((record) => record.sha256 === sha256);
      return found && StoredItem.omit({ recordedIn: true }).parse(found);
    };
    const records: CatalogueRecord[] = [...before.keys()]
      .filter((key) => !contents.has(key))
      .map((key) => ({ v: 1, op: "remove", ...itemKeyOf(key), reason: "deleted" }));
    for (let batch = 0; batch * 2 < changed.length; batch += 1) {
      const pack = openPack(vault, packName(aKey, id, 0, batch), { findStored });
      const puts: CatalogueRecord[] = [];
      for (const [key, content] of changed.slice(batch * 2, batch * 2 + 2)) {
        const item = await pack.addItem(bytesOf(content));
        puts.push({ v: 1, op: "put", ...someFacts(itemKeyOf(key)), ...item });
      }
      await pack.close(puts);
      records.push(...puts);
    }
    const part = records.length === 0 ? undefined : await writePart(vault, partName(aKey, id, "w0"), records);
    if (part === "exists") throw new Error("two runs have one id");
    const parts = part === undefined ? [] : [part];
    const { root: _root, ...unrooted } = aManifest({ parts });
    const manifest = aManifest({
      ...unrooted,
      id,
      parts,
      base: !parent,
      parent: parent ? { id: parent.manifest.id, sha256: parent.sha256 } : null,
      state: random.chance(0.3) ? "partial" : "complete",
    });
    flight = { id, contents, manifest };
  };

  /**
   * Makes a snapshot of the run under way. Killed between the two writes, it is there, and the head does not know it.
   */
  const commit = async (): Promise<void> => {
    if (flight === undefined) return;
    const { id, contents, manifest } = flight;
    flight = undefined;
    // A run that is killed while it writes the manifest may have written it.
    snapshots.set(id, contents);
    const { sha256 } = await writeManifest(vault, manifest);
    const { mailboxId, kind, finished, state } = manifest;
    await moveHead(vault, aKey, (head) => ({
      ...(head?.hold === undefined ? {} : { hold: head.hold }),
      v: 1,
      mailboxKey: aKey,
      mailboxId,
      kind,
      newest: { id, manifestSha256: sha256, finished, state, items: contents.size, bytes: 0, failed: 0 },
      checkedAt: finished,
    }));
  };

  const hold = async (isHeld: boolean): Promise<void> => {
    const since = new Date(nowMs).toISOString();
    const until = new Date(nowMs + 40 * HOUR_MS).toISOString();
    const head = await readHead(vault, aKey);
    if (head === undefined) return;
    const { hold: _ended, ...rest } = head;
    await moveHead(vault, aKey, () => (isHeld ? { ...rest, hold: { since, reason: "legal", until } } : rest));
  };

  const cycle = (calls = 1) => {
    let looks = 0;
    return forgetAndPrune({ vault, remove: vault.remove, state, policy }, aKey, {
      nowMs,
      isLate: () => {
        looks += 1;
        return looks >= calls;
      },
      isRunning: async () => flight !== undefined,
      inUse: async () => () => false,
    });
  };

  const kept = async (): Promise<SnapshotId[]> => {
    const { snapshots: planned } = await planForget(stored, aKey, policy, nowMs);
    return planned.filter(({ reasons }) => reasons.length > 0).map(({ id }) => id);
  };

  /** The contents of a snapshot, item by item, read from the packs, and those packs. */
  const contentsOf = async (id: SnapshotId): Promise<{ contents: Map<string, string>; packs: Set<string> }> => {
    const contents = new Map<string, string>();
    const packs = new Set<string>();
    for (const record of await all(foldSnapshot(stored, aKey, id))) {
      const bytes = Buffer.concat(await all(readItem(stored, record)));
      contents.set(`${record.folderId}\n${record.id}`, bytes.toString());
      packs.add(record.pack).add(record.recordedIn ?? record.pack);
    }
    return { contents, packs };
  };

  return {
    stored,
    snapshots,
    pass,
    change,
    survives,
    begin,
    commit,
    hold,
    cycle,
    kept,
    contentsOf,
    inFlight: () => flight !== undefined,
    abandon: () => {
      flight = undefined;
    },
    compactNewest: async () => {
      const newest = (await nameSnapshots(stored, aKey)).manifests.at(-1);
      if (newest !== undefined) await compactSnapshot(vault, aKey, newest, 2);
    },
    manifests: async () => (await nameSnapshots(stored, aKey)).manifests,
  };
};

const itemKeyOf = (key: string): { folderId: string; id: string } => {
  const [folderId = "", id = ""] = key.split("\n");
  return { folderId, id };
};

async function* bytesOf(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
