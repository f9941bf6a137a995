import { BlobServiceClient, type ContainerClient, RestError } from "@azure/storage-blob";
import { describe, expect, test } from "vitest";
import type { AuditLog, PersonalDataRequested, RestoreRequested } from "../../../shared/audit/audit-log.ts";
import { blobAuditLog } from "../../../shared/audit/blob-audit-log.ts";
import { useAzurite } from "../../support/azurite.ts";
import { memoryAuditLog } from "./memory-audit-log.ts";

const { connectionString, freshContainer } = useAzurite();

const anEntry = (overrides: Partial<RestoreRequested> = {}): RestoreRequested => ({
  event: "restore-requested",
  at: "2026-11-30T23:59:59.999Z",
  principal: "0a0a0a0a-1111-4222-8333-444444444444",
  job: "restore-20261130T235959Z-abc234",
  mailbox: "a".repeat(26),
  snapshot: "20261122T010000Z-abc234",
  selection: { kind: "all" },
  target: "original",
  onConflict: "skip",
  dryRun: false,
  reason: 'she said "é"\n',
  ...overrides,
});

const aRequest = (): PersonalDataRequested => ({
  event: "personal-data-requested",
  at: "2026-11-30T23:59:59.999Z",
  principal: "0a0a0a0a-1111-4222-8333-444444444444",
  job: "personal-data-20261130T235959Z-abc234",
  user: "0b0b0b0b-1111-4222-8333-444444444444",
  mailboxes: ["a".repeat(26)],
  reason: "request 42",
});

/** The lines of the blobs. */
const linesIn = (text: string): unknown[] => {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
};

const download = async (container: ContainerClient): Promise<Record<string, unknown[]>> => {
  const blobs: Record<string, unknown[]> = {};
  for await (const { name } of container.listBlobsFlat())
    blobs[name] = linesIn((await container.getBlobClient(name).downloadToBuffer()).toString("utf8"));
  return blobs;
};

interface Subject {
  readonly log: AuditLog;
  /** The log of a second process. */
  readonly other: AuditLog;
  readonly blobs: () => Promise<Record<string, unknown[]>>;
}

const implementations: [string, () => Promise<Subject>][] = [
  [
    "in memory",
    async () => {
      const log = memoryAuditLog();
      const blobs = async () =>
        Object.fromEntries([...log.blobs].map(([name, text]): [string, unknown[]] => [name, linesIn(text)]));
      return { log, other: log, blobs };
    },
  ],
  [
    "in Blob Storage",
    async () => {
      const container = await freshContainer();
      return {
        log: blobAuditLog(container),
        other: blobAuditLog(container),
        blobs: () => download(container),
      };
    },
  ],
];

const written = (entry: RestoreRequested) => ({ v: 1, ...entry });

describe.each(implementations)("an audit log %s", (_, fresh) => {
  test("keeps each entry as a line of its month's blob, in order", async () => {
    const { log, blobs } = await fresh();
    const [november, again, december] = [
      anEntry(),
      anEntry({ dryRun: true }),
      anEntry({ at: "2026-12-01T00:00:00.000Z", selection: { kind: "folders", count: 1, ids: ["x"] } }),
    ];
    for (const entry of [november, again, december]) await log.append("restores", entry);

    expect(await blobs()).toEqual({
      "restores-2026-11.jsonl": [written(november), written(again)],
      "restores-2026-12.jsonl": [written(december)],
    });
  });

  test("keeps requests for personal data in blobs of their own", async () => {
    const { log, blobs } = await fresh();
    await log.append("restores", anEntry());
    await log.append("personal-data", aRequest());

    expect(await blobs()).toEqual({
      "personal-data-2026-11.jsonl": [{ v: 1, ...aRequest() }],
      "restores-2026-11.jsonl": [written(anEntry())],
    });
    await expect(log.append("personal-data", { ...aRequest(), user: "ada@contoso.example" })).rejects.toThrow();
  });

  test("loses nothing when two processes write at the same time, also the first lines of a month", async () => {
    const { log, other, blobs } = await fresh();
    const entries = Array.from({ length: 20 }, (_, n) => anEntry({ reason: `reason ${n}` }));
    await Promise.all(entries.map((entry, n) => (n % 2 ? log : other).append("restores", entry)));

    const lines = (await blobs())["restores-2026-11.jsonl"] ?? [];
    expect(lines).toHaveLength(20);
    expect(lines).toEqual(expect.arrayContaining(entries.map(written)));
  });

  test.each([
    { principal: "ada@contoso.example" },
    { mailbox: "ada@contoso.example" },
    { job: "backup" },
    { selection: { kind: "items", ids: Array.from({ length: 21 }, () => "x") } },
  ])("refuses an entry with %j", async (wrong) => {
    const { log, blobs } = await fresh();

    await expect(log.append("restores", anEntry(wrong))).rejects.toThrow();
    expect(await blobs()).toEqual({});
  });
});

describe("an audit log in Blob Storage", () => {
  test("goes on in another blob when one is full", async () => {
    const real = await freshContainer();
    await blobAuditLog(real).append("restores", anEntry({ reason: "the last" }));
    const log = blobAuditLog(withFullBlob(real, "restores-2026-11.jsonl"));

    await log.append("restores", anEntry({ reason: "one more" }));
    await log.append("restores", anEntry({ reason: "and one" }));

    expect(await download(real)).toMatchObject({
      "restores-2026-11.jsonl": [{ reason: "the last" }],
      "restores-2026-11-2.jsonl": [{ reason: "one more" }, { reason: "and one" }],
    });
  });

  test("fails without its container", async () => {
    const missing = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("no-such-container");

    await expect(blobAuditLog(missing).append("restores", anEntry())).rejects.toMatchObject({
      code: "ContainerNotFound",
    });
  });
});

/** A container in which appends to a blob fail as if it were full. */
const withFullBlob = (container: ContainerClient, full: string): ContainerClient => {
  const refuse = async () => {
    throw new RestError("The blob is full", { code: "BlockCountExceedsLimit", statusCode: 409 });
  };
  return Object.assign(Object.create(container), {
    getAppendBlobClient: (name: string) => {
      const blob = container.getAppendBlobClient(name);
      return name === full ? Object.assign(blob, { appendBlock: refuse }) : blob;
    },
  });
};
