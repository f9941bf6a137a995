import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { aFolder, removeFolders } from "../local/host/fixture.ts";
import { registeredApp } from "../support/registered-app.ts";

afterAll(removeFolders);

/** Settings with which the app starts on any machine. It reaches nothing before it is called. */
const SETTINGS = {
  AUTHENTICATION: "none",
  GRAPH_ENDPOINT: "http://127.0.0.1:1",
  VAULT_CONNECTION_STRING: "UseDevelopmentStorage=true;BlobEndpoint=http://127.0.0.1:1/a",
  SEAL_KEY: Buffer.alloc(32, 1).toString("base64"),
  BACKUP_SCHEDULE: "0 0 1 * * *",
  TASKHUB_NAME: "Package",
};

describe("the folder that is deployed", () => {
  test("has what runs and nothing to build, and from it alone the app starts with all its functions", async () => {
    const folder = join(await aFolder(), "package");
    await promisify(execFile)(process.execPath, ["scripts/package.mjs", folder]);

    expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(
      ["dist", "dist/main.mjs", "dist/main.mjs.map", "host.json", "package.json"].map((name) => join(name)),
    );
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    expect(Object.keys(manifest)).toEqual(["name", "version", "private", "type", "main"]);

    const host = fork(resolve("local/host/main.ts"), ["--port", "0", "--app", folder, "--data", await aFolder()], {
      env: { ...process.env, ...SETTINGS },
      execArgv: [],
      silent: true,
    });
    const output = host.stdout === null ? "" : text(host.stdout);
    const [ready] = await once(host, "message");
    expect(ready).toMatchObject({ ready: true });
    host.kill("SIGTERM");
    const listed = [...(await output).matchAll(/^\t([\w-]+):/gm)].map(([, name]) => name);
    const { functions } = await registeredApp();
    expect(listed.toSorted()).toEqual([...functions.values()].map(({ metadata: { name } }) => name).toSorted());
  });

  test("is staged again where an install has been, as azd does one", async () => {
    const folder = await aFolder();
    const stage = () => promisify(execFile)(process.execPath, ["scripts/package.mjs", folder]);
    await stage();
    await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", "--offline"], { cwd: folder, shell: true });
    expect(await readdir(folder)).toContain("package-lock.json");

    await stage();
    expect((await readdir(folder)).toSorted()).toEqual(["dist", "host.json", "package.json"]);
  });

  test("is not one that holds anything else, which stays as it is", async () => {
    const folder = await aFolder();
    await writeFile(join(folder, "notes.txt"), "mine");
    await writeFile(join(folder, "package.json"), "mine");

    const staging = promisify(execFile)(process.execPath, ["scripts/package.mjs", folder]);
    await expect(staging).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("it holds notes.txt") });
    expect((await readdir(folder)).toSorted()).toEqual(["notes.txt", "package.json"]);
    expect(await readFile(join(folder, "package.json"), "utf8")).toBe("mine");
  });
});
