import { describe, expect, test } from "vitest";
import { assertImportHost, openImportSession } from "../../../shared/graph/import-session.ts";
import { aGraph } from "./a-graph.ts";

const HOSTS = ["outlook.office365.com", "127.0.0.1:8443"];
const aMailbox = { id: "MBX:a@b", kind: "primary" } as const;

describe("assertImportHost", () => {
  test.each(["https://outlook.office365.com/x?t=1", "http://127.0.0.1:8443/x", "https://127.0.0.1:8443/x"])(
    "lets %s pass",
    (url) => {
      expect(() => assertImportHost(url, HOSTS)).not.toThrow();
    },
  );

  test.each([
    "https://outlook.office365.com.evil.example/x",
    "https://outlook.office365.com:444/x",
    "https://evil.example/outlook.office365.com",
    "https://outlook.office365.com@evil.example/x",
    "http://127.0.0.1:80/x",
    "http://outlook.office365.com/x",
    "ftp://outlook.office365.com/x",
  ])("stops %s", (url) => {
    expect(() => assertImportHost(`${url}?authtoken=s3cret`, HOSTS)).toThrow(/^((?!s3cret).)*$/);
  });
});

describe("openImportSession", () => {
  const aSession = {
    importUrl: "https://outlook.office365.com/api/gv1.0/x?authtoken=s3cret",
    expirationDateTime: "2026-11-22T03:00:48.1052906+02:00",
  };

  test.each([200, 201])("returns the session of an answer %i, with its expiry in UTC", async (status) => {
    const { client, asked } = await aGraph([{ status, body: aSession }]);

    expect(await openImportSession(client, aMailbox, HOSTS)).toEqual({
      url: aSession.importUrl,
      expires: "2026-11-22T01:00:48.105Z",
    });
    expect(asked[0]).toMatchObject({
      method: "POST",
      url: "/v1.0/admin/exchange/mailboxes/MBX%3Aa%40b/createImportSession",
    });
  });

  test.each([
    ["a foreign host", { ...aSession, importUrl: "https://evil.example/x?authtoken=s3cret" }],
    ["no URL", { ...aSession, importUrl: "s3cret" }],
    ["no end", { importUrl: aSession.importUrl }],
  ])("refuses %s, without quoting the URL", async (_, body) => {
    const { client } = await aGraph([{ body }]);

    const error = await openImportSession(client, aMailbox, HOSTS).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).not.toContain("s3cret");
  });
});
