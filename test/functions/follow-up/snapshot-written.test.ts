import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { snapshotWritten } from "../../../functions/follow-up/snapshot-written.event.ts";
import { followUpInstance } from "../../../shared/contracts/job-ids.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { headName, manifestName, packName, partName } from "../../../shared/vault/names.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, aSnapshot, snapshotAt } from "../../shared/vault/samples.ts";
import { aFakeHub, aQuietContext } from "../fake-hub.ts";

const SOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/vault";
const CREATED = "Microsoft.Storage.BlobCreated";

const subjectOf = (name: string, container = "vault"): string =>
  `/blobServices/default/containers/${container}/blobs/${name}`;

interface EventFacts {
  readonly subject?: string;
  readonly type?: string;
  readonly source?: string;
  readonly schema?: "cloud" | "own";
}

const anEvent = ({
  subject = subjectOf(manifestName(aKey, aSnapshot)),
  type = CREATED,
  source = SOURCE,
  schema = "cloud",
}: EventFacts = {}): unknown => {
  const facts = { id: randomUUID(), subject, data: { url: "https://elsewhere.example/x", api: "PutBlob" } };
  const time = "2026-11-22T01:00:00Z";
  return schema === "cloud"
    ? { ...facts, specversion: "1.0", type, source, time }
    : { ...facts, eventType: type, topic: source, eventTime: time, dataVersion: "", metadataVersion: "1" };
};

/** The handler over a vault with these blobs, and a hub in memory. */
const aListener = async (names: readonly string[], { source }: { source: string | undefined } = { source: SOURCE }) => {
  const vault = memoryBlobs();
  for (const name of names) await vault.create(name, Buffer.from("{}"));
  const hub = aFakeHub();
  const handler = snapshotWritten({ ...hub, vault, source });
  return { ...hub, vault, raise: (event: unknown) => handler(event, aQuietContext()) };
};

const MANIFEST = manifestName(aKey, aSnapshot);

/** Each would start something if it were believed: forged, malformed, or about something else. */
const UNWANTED: readonly (readonly [what: string, event: unknown])[] = [
  ["of no schema", { subject: subjectOf(MANIFEST) }],
  ["that is text", "hello"],
  ["of a deletion", anEvent({ type: "Microsoft.Storage.BlobDeleted" })],
  ["of another account", anEvent({ source: `${SOURCE}2` })],
  ["of another container", anEvent({ subject: subjectOf(MANIFEST, "work") })],
  ["of a head", anEvent({ subject: subjectOf(headName(aKey)) })],
  ["of a pack", anEvent({ subject: subjectOf(packName(aKey, aSnapshot, 0, 0)) })],
  ["of a part", anEvent({ subject: subjectOf(partName(aKey, aSnapshot, "p0")) })],
  ["of a snapshot that is not in the vault", anEvent({ subject: subjectOf(manifestName(aKey, snapshotAt(9))) })],
  [
    "of a name that leads elsewhere",
    anEvent({ subject: subjectOf(`${aKey}/snapshots/../${aSnapshot}.manifest.json`) }),
  ],
  ["of a name that goes on", anEvent({ subject: `${subjectOf(MANIFEST)}/blobs/x` })],
];

describe("snapshot-written", () => {
  test.each(["cloud", "own"] as const)(
    "starts the follow-up of a snapshot, by an event of the %s schema",
    async (schema) => {
      const { raise, started } = await aListener([MANIFEST]);

      await raise(anEvent({ schema, source: SOURCE.toUpperCase() }));

      expect(started).toEqual([
        {
          name: "follow-up-snapshot",
          instanceId: followUpInstance(aKey, aSnapshot),
          input: { mailboxKey: aKey, snapshotId: aSnapshot },
        },
      ]);
    },
  );

  test.each(UNWANTED)("acknowledges an event %s, and starts nothing", async (_, event) => {
    const { raise, started } = await aListener([MANIFEST]);

    await raise(event);

    expect(started).toEqual([]);
  });

  test("trusts every account that it is subscribed to when the settings name none", async () => {
    const { raise, started } = await aListener([MANIFEST], { source: undefined });

    await raise(anEvent({ source: "/subscriptions/other" }));

    expect(started).toHaveLength(1);
  });

  test("throws when the vault or the hub does not answer, so that the event comes again", async () => {
    const { raise, vault, started } = await aListener([MANIFEST]);
    vault.info = () => Promise.reject(new Error("the storage is down"));

    await expect(raise(anEvent())).rejects.toThrow("down");
    expect(started).toEqual([]);
  });

  test("starts one follow-up for each snapshot, by 1,000 duplicated, reordered and forged events", async () => {
    const snapshots = Array.from({ length: 90 }, (_, n) => ({
      key: mailboxKey(`mailbox ${n % 30}`),
      id: snapshotAt(n),
    }));
    const names = snapshots.map(({ key, id }) => manifestName(key, id));
    const { raise, started, end } = await aListener(names);
    const pick = <T>(values: readonly T[], n: number): T => values[n % values.length] as T;
    const events = Array.from({ length: 1_000 }, (_, n) => {
      if (n % 3 === 0) return pick(UNWANTED, n / 3)[1];
      return anEvent({
        subject: subjectOf(pick(names, Math.floor(n / 3) * 2 + (n % 3))),
        schema: n % 2 === 0 ? "cloud" : "own",
      });
    });
    const shuffled = events.map((event, n) => ({ event, at: (n * 7_919) % 1_009 })).sort((a, b) => a.at - b.at);

    for (let n = 0; n < shuffled.length; n += 4) {
      await Promise.all(shuffled.slice(n, n + 4).map(({ event }) => raise(event)));
      if (n % 3 === 0) for (const { instanceId = "" } of started) end(instanceId, n % 2 === 0 ? "Completed" : "Failed");
    }

    expect(started.map(({ instanceId }) => instanceId).toSorted()).toEqual(
      snapshots.map(({ key, id }) => followUpInstance(key, id)).toSorted(),
    );
  });
});
