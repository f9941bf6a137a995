import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { StartError } from "../../../local/host/start-error.ts";
import { aFolder, aHost, anApp, removeFolders } from "./fixture.ts";

afterAll(removeFolders);

const http = (options: string) => `
  import { app } from "@azure/functions";
  app.http("a", { ${options}, handler: async () => ({}) });
`;

const timer = (schedule: string) => `
  import { app } from "@azure/functions";
  app.timer("a", { schedule: "${schedule}", handler: async () => {} });
`;

describe("startHost", () => {
  test.each([
    [http('route: "x/{id:colour}"'), 'a, route api/x/{id:colour}: "colour" is not a route constraint'],
    [http('route: "x/{id"'), 'a, route api/x/{id: "{id" has braces that do not match'],
    [timer("at noon"), 'a, schedule: "at noon" is neither a cron expression nor a time span'],
    [timer("%NIGHTLY%"), "a, schedule: %NIGHTLY% does not resolve: add the setting NIGHTLY"],
    ['throw new Error("set VAULT_URL");', "The app cannot be started: dist/main.mjs cannot be loaded: set VAULT_URL"],
  ])("refuses the app %j in one line", async (source, message) => {
    await expect(aHost(await anApp(source))).rejects.toThrow(new StartError(message));
  });

  test("refuses a port that is in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const starting = aHost(await anApp(timer("0 0 1 * * *")), { port });
    await expect(starting).rejects.toThrow(
      `Port ${port} is in use: stop the process that uses it, or give another --port`,
    );
    await new Promise((resolve) => server.close(resolve));
  });

  test("refuses an app that is not built, naming the bundle", async () => {
    const folder = await aFolder();
    await writeFile(join(folder, "host.json"), '{"version":"2.0"}');
    await writeFile(join(folder, "package.json"), '{"type":"module","main":"dist/main.mjs"}');
    await expect(aHost(folder)).rejects.toThrow(
      `The app cannot be started: ${join(folder, "dist/main.mjs")} does not exist: build the app first`,
    );
  });

  test("refuses a folder without host.json", async () => {
    const folder = await aFolder();
    await expect(aHost(folder)).rejects.toThrow(`${join(folder, "host.json")} does not exist`);
  });
});
