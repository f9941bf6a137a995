import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { startStorage } from "../../../local/storage/storage.ts";
import { temporaryDir } from "./temporary-dir.ts";

const MAIN = fileURLToPath(new URL("../../../local/storage/main.ts", import.meta.url));
const AZURITE = new URL("../../../local/storage/azurite.ts", import.meta.url).href;

const Ready = z.object({ url: z.url(), port: z.int(), connectionString: z.string(), blobEndpoint: z.url() });

const forkMain = async (dir: string): Promise<{ child: ChildProcess; ready: z.infer<typeof Ready> }> => {
  const child = fork(MAIN, ["--dir", dir], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  child.stderr?.pipe(process.stderr);
  onTestFinished(() => void child.kill("SIGKILL"));
  const [message] = await once(child, "message");
  return { child, ready: Ready.parse(message) };
};

/** Kills a process and waits for the end of Azurite, which has the same standard error. */
const killUnderAzurite = async (parent: ChildProcess): Promise<void> => {
  const closed = once(parent, "close");
  parent.kill("SIGKILL");
  await closed;
};

const vault = (connectionString: string) =>
  BlobServiceClient.fromConnectionString(connectionString).getContainerClient("vault");

describe("local/storage/main.ts", () => {
  test("ends in order when its parent lets go, with everything kept", async () => {
    const dir = await temporaryDir();
    const { child, ready } = await forkMain(dir);
    await vault(ready.connectionString).create();
    child.disconnect();
    await once(child, "exit");

    const again = await startStorage({ dir });
    const exists = await vault(again.connectionString).exists();
    await again.stop();
    expect(exists).toBe(true);
  });

  test("has its state saved by Azurite when it is killed", async () => {
    const dir = await temporaryDir();
    const { child, ready } = await forkMain(dir);
    await vault(ready.connectionString).create();
    await killUnderAzurite(child);

    expect(await readFile(join(dir, "blobs.json"), "utf8")).toContain('"vault"');
  });
});

test("Azurite ends when the process that started it is killed", async () => {
  const script = `
    const { startAzurite } = await import(${JSON.stringify(AZURITE)});
    const { url } = await startAzurite({ dir: ${JSON.stringify(await temporaryDir())} });
    process.send(url);`;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  parent.stderr?.pipe(process.stderr);
  const [message] = await once(parent, "message");
  const url = z.url().parse(message);
  expect((await fetch(url)).status).toBe(400);
  await killUnderAzurite(parent);

  await expect(fetch(url)).rejects.toThrow("fetch failed");
});
