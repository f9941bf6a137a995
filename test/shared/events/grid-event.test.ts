import { describe, expect, test } from "vitest";
import { blobOf, readGridEvent, userOf } from "../../../shared/events/grid-event.ts";

const SOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a";
const SUBJECT = "/blobServices/default/containers/vault/blobs/key/snapshots/1.manifest.json";
const TIME = "2026-11-22T01:00:00.1234567Z";

const aCloudEvent = {
  specversion: "1.0",
  id: "e1",
  type: "Microsoft.Storage.BlobCreated",
  source: SOURCE,
  subject: SUBJECT,
  time: TIME,
  data: { url: "https://elsewhere.example" },
};
const anOwnEvent = {
  id: "e1",
  eventType: "Microsoft.Storage.BlobCreated",
  topic: SOURCE,
  subject: SUBJECT,
  eventTime: TIME,
  data: { url: "https://elsewhere.example" },
  dataVersion: "",
  metadataVersion: "1",
};

describe("readGridEvent", () => {
  test("reads both schemas as the same event", () => {
    expect(readGridEvent(aCloudEvent)).toEqual(readGridEvent(anOwnEvent));
    expect(readGridEvent(aCloudEvent)).toMatchObject({ id: "e1", type: aCloudEvent.type, source: SOURCE, time: TIME });
  });

  test("has empty data when the event has none", () => {
    expect(readGridEvent({ ...aCloudEvent, data: null })?.data).toEqual({});
  });

  test.each([
    undefined,
    "text",
    [],
    { ...aCloudEvent, specversion: "0.3" },
    { ...aCloudEvent, id: "" },
    { ...anOwnEvent, topic: undefined },
    { ...anOwnEvent, eventTime: "yesterday" },
  ])("returns nothing for %j", (event) => {
    expect(readGridEvent(event)).toBeUndefined();
  });
});

describe("blobOf", () => {
  const of = (subject: string) => blobOf({ id: "", type: "", source: "", time: "", data: {}, subject });

  test("takes container and name from the subject", () => {
    expect(of(SUBJECT)).toEqual({ container: "vault", name: "key/snapshots/1.manifest.json" });
  });

  test.each(["", "/blobServices/default/containers/vault", "x/blobServices/default/containers/v/blobs/n"])(
    "yields nothing for the subject '%s'",
    (subject) => {
      expect(of(subject)).toBeUndefined();
    },
  );
});

describe("userOf", () => {
  const USER = "0b5c2d3e-7f8a-4b6c-9d0e-1f2a3b4c5d6e";
  const FROM = `/tenants/${USER}/applications/${USER}`;
  const of = (source: string, subject: string) =>
    userOf({ id: "", type: "", time: "", data: { id: "another" }, source, subject });

  test("takes the user's id from the subject, in lower case", () => {
    expect(of(FROM, `Users/${USER}`)).toBe(USER);
    expect(of(FROM, `/users/${USER.toUpperCase()}`)).toBe(USER);
  });

  test.each([
    [FROM, "Users/ada@contoso.example"],
    [FROM, `Users/${USER}/manager`],
    [FROM, `Groups/${USER}`],
    ["/tenants/t/applications/a", `Users/${USER}`],
    [SOURCE, `Users/${USER}`],
  ])("returns nothing for the source %s and the subject %s", (source, subject) => {
    expect(of(source, subject)).toBeUndefined();
  });
});
