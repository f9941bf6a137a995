import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { inject } from "vitest";
import * as z from "zod";
import { graphAdmin } from "../../local/stack/admin.ts";
import { vaultApi } from "../../local/stack/api.ts";
import { type StackOptions, startStack } from "../../local/stack/stack.ts";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { azureBlobs } from "../../shared/storage/azure-blobs.ts";
import { mailboxKey } from "../../shared/vault/mailbox-key.ts";

export const ADA = "ada.berg@contoso.example";
export const BO = "bo.lind@contoso.example";

const Processes = z.object({ processes: z.array(z.object({ processId: z.int().positive() })) });

const cleanups: (() => Promise<void>)[] = [];

/** For `afterEach` or `afterAll`: stops the stacks that were started, and removes their folders. */
export const stopStacks = async (): Promise<void> => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
};

/** A folder that is gone after {@link stopStacks}. */
export const aFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "mailbox-vault-test-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

export interface LoggedLine {
  readonly process: string;
  readonly text: string;
}

/**
 * A whole stack, with what tests ask of it: the app's HTTP API, as who signed in, the mailboxes, the blobs, the app's
 * process and the log. An import without an answer is sent again after six seconds.
 */
export const aStack = async (
  options: Omit<StackOptions, "dataDir" | "line"> = {},
  signedIn: Readonly<Record<string, string>> = {},
) => {
  const dataDir = await aFolder();
  const lines: LoggedLine[] = [];
  const stack = await startStack({
    appDir: inject("appDir"),
    blobsInMemory: true,
    ...options,
    settings: { LOCAL_WAIT_DIVISOR: "100", ...options.settings },
    dataDir,
    line: (process, text) => lines.push({ process, text }),
  });
  cleanups.push(stack.stop);

  const withKey = { "x-functions-key": stack.hostKey };
  const api = vaultApi(stack.hostUrl, { ...withKey, ...signedIn });
  const graph = graphAdmin(stack.graphUrl);
  const service = BlobServiceClient.fromConnectionString(stack.connectionString);
  const keyOf = async (user: string): Promise<MailboxKey> => {
    const { mailboxId = "" } = (await graph.users()).find(({ userPrincipalName }) => userPrincipalName === user) ?? {};
    return mailboxKey(mailboxId);
  };
  return {
    ...stack,
    dataDir,
    lines,
    api,
    graph,
    service,
    vault: azureBlobs(service.getContainerClient("vault")),
    work: service.getContainerClient("work"),
    keyOf,
    containers: async (): Promise<string[]> => {
      const names: string[] = [];
      for await (const { name } of service.listContainers()) names.push(name);
      return names;
    },
    // A spread would copy what `host` was, not what it is.
    host: () => stack.host,
    /** The process that runs the app's orchestrations. */
    appPid: async (): Promise<number> => {
      const answer = await fetch(new URL("/admin/host/processes", stack.host.ready.url), { headers: withKey });
      const [process] = Processes.parse(await answer.json()).processes;
      if (process === undefined) throw new Error("No process runs the app");
      return process.processId;
    },
    backUp: async (...mailboxes: string[]) => api.finish(await api.start("/api/backups", { mailboxes })),
    restore: async (body: object) => api.finish(await api.start("/api/restores", { reason: "a test", ...body })),
  };
};
export type TestStack = Awaited<ReturnType<typeof aStack>>;
