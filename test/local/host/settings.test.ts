import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  parseTimeSpan,
  readHostConfig,
  readSettings,
  resolveSettings,
  workerArguments,
} from "../../../local/host/settings.ts";
import { aFolder, removeFolders } from "./fixture.ts";

afterAll(removeFolders);

const aFolderWith = async (name: string, content: string | object): Promise<string> => {
  const folder = await aFolder();
  await writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  return folder;
};

describe("host.json", () => {
  test("has Azure's defaults", async () => {
    expect(readHostConfig(await aFolderWith("host.json", { version: "2.0" }))).toEqual({
      version: "2.0",
      logging: { logLevel: {} },
      extensions: {
        http: { routePrefix: "api" },
        durableTask: {
          hubName: "TestHubName",
          maxConcurrentActivityFunctions: 10,
          maxConcurrentOrchestratorFunctions: 5,
          storageProvider: { maxQueuePollingInterval: 30_000 },
        },
      },
    });
  });

  test("may have settings that this host does not read", async () => {
    const config = readHostConfig(
      await aFolderWith("host.json", {
        version: "2.0",
        functionTimeout: "00:10:00",
        extensionBundle: { id: "any" },
        logging: { logLevel: { default: "Warning" }, applicationInsights: {} },
        extensions: { http: { routePrefix: "" }, durableTask: { hubName: "H", tracing: {} } },
      }),
    );
    expect(config.functionTimeout).toBe(600_000);
    expect(config.logging.logLevel).toEqual({ default: "warning" });
    expect(config.extensions.http.routePrefix).toBe("");
  });

  test("may lift the timeout", async () => {
    const folder = await aFolderWith("host.json", { version: "2.0", functionTimeout: "-1" });
    expect(readHostConfig(folder).functionTimeout).toBeUndefined();
  });

  test.each([
    ["{", "is not JSON"],
    [{ version: "2.0", functionTimeout: "soon" }, 'functionTimeout: "soon" is not a time span such as 00:05:00'],
    [
      { version: "2.0", logging: { logLevel: { default: "loud" } } },
      'logging.logLevel.default: "loud" is not a log level',
    ],
  ])("%j is refused", async (content, message) => {
    const folder = await aFolderWith("host.json", content);
    expect(() => readHostConfig(folder)).toThrow(message);
  });
});

describe("readSettings", () => {
  test("overrides local.settings.json by the environment", async () => {
    const folder = await aFolderWith("local.settings.json", { IsEncrypted: false, Values: { A: "file", B: "file" } });
    expect(readSettings(folder, { B: "environment", C: undefined })).toEqual({ A: "file", B: "environment" });
  });

  test("works without local.settings.json, but not with an encrypted one", async () => {
    expect(readSettings(await aFolder(), { A: "1" })).toEqual({ A: "1" });
    const folder = await aFolderWith("local.settings.json", { IsEncrypted: true, Values: {} });
    expect(() => readSettings(folder, {})).toThrow("local.settings.json is not understood: IsEncrypted");
  });
});

test("resolveSettings replaces every name", () => {
  expect(resolveSettings("%A%-%B%", { A: "1", B: "2" }, "x")).toBe("1-2");
});

test.each([
  ["00:05:00", 300_000],
  ["1.00:00:30", 86_430_000],
  ["01:30", 5_400_000],
  ["5 minutes", undefined],
])("parseTimeSpan(%j) is %j", (text, spanMs) => {
  expect(parseTimeSpan(text)).toBe(spanMs);
});

describe("languageWorkers__node__arguments", () => {
  test.each([
    [undefined, []],
    ["", []],
    [" --max-semi-space-size=2  --inspect=9229 ", ["--max-semi-space-size=2", "--inspect=9229"]],
  ])("of %j is %j for the app's processes", (text, expected) => {
    expect(workerArguments(text === undefined ? {} : { languageWorkers__node__arguments: text })).toEqual(expected);
  });
});
