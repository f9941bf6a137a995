import { InvocationContext } from "@azure/functions";
import { expect, test } from "vitest";
import { packageName } from "../../../functions/personal-data/package-names.ts";
import { personalDataWritten } from "../../../functions/personal-data/personal-data-written.event.ts";
import { WAKE } from "../../../shared/durable/waits.ts";
import { aFakeHub } from "../fake-hub.ts";
import { exportId, job } from "./a-finished-export.ts";

const PACKAGE = packageName(exportId);

const SOURCE = "/subscriptions/x/providers/Microsoft.Storage/storageAccounts/vault";

const anEvent = (subject: string, overrides: object = {}) => ({
  specversion: "1.0",
  id: "0b0b0b0b-1111-4222-8333-444444444444",
  source: SOURCE,
  type: "Microsoft.Storage.BlobCreated",
  subject: `/blobServices/default/containers/${subject}`,
  time: "2026-11-22T01:00:00Z",
  data: { url: "http://127.0.0.1:1/never-asked" },
  ...overrides,
});

const inOtherSchema = ({ source, type, time, specversion: _, ...rest }: ReturnType<typeof anEvent>) => ({
  ...rest,
  topic: source,
  eventType: type,
  eventTime: time,
});

const raisedBy = async (event: unknown, runtimeStatus = "Running") => {
  const hub = aFakeHub({ [job]: { runtimeStatus } });
  await personalDataWritten({ ...hub, source: SOURCE.toUpperCase() })(
    event as never,
    new InvocationContext({ logHandler: () => undefined }),
  );
  return hub.raised;
};

test.each([
  ["in the CloudEvents schema", anEvent(`${PACKAGE}/blobs/OneDrive/a.txt`)],
  ["in Event Grid's own", inOtherSchema(anEvent(`${PACKAGE}/blobs/a.txt`))],
  ["in a later container of the export", anEvent(`${PACKAGE}-2/blobs/a.txt`)],
])("a file that was written %s wakes the job that waits for it", async (_, event) => {
  expect(await raisedBy(event)).toEqual([[job, WAKE]]);
});

test.each<[what: string, event: unknown]>([
  ["the file with which Microsoft tests the container", anEvent(`${PACKAGE}/blobs/RequestInfo.json`)],
  ["a file that the app adds", anEvent(`${PACKAGE}/blobs/_vault/inventory.jsonl`)],
  ["a file that was deleted", anEvent(`${PACKAGE}/blobs/a.txt`, { type: "Microsoft.Storage.BlobDeleted" })],
  ["a file of the vault", anEvent("vault/blobs/a.txt")],
  ["a container that only looks like a package", anEvent(`${PACKAGE}x/blobs/a.txt`)],
  ["an unknown export", anEvent("dsr-20200101t000000z-abc234/blobs/a.txt")],
  ["a file of another account", anEvent(`${PACKAGE}/blobs/a.txt`, { source: "/subscriptions/y" })],
  ["an event without a subject", anEvent("", { subject: "" })],
  ["an event of no schema", { hello: "world" }],
  ["no event", undefined],
])("%s wakes nobody", async (_, event) => {
  expect(await raisedBy(event)).toEqual([]);
});

test.each(["Completed", "Failed", "Terminated"])(
  "a file that comes late for a job that is %s wakes nobody",
  async (state) => {
    expect(await raisedBy(anEvent(`${PACKAGE}/blobs/a.txt`), state)).toEqual([]);
  },
);
