import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { BackupMailboxResult } from "../functions/backup/backup.contract.ts";
import type { Stack } from "../local/stack/stack.ts";
import { backupInstance } from "../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../shared/contracts/mailbox.ts";

const Status = z.looseObject({ runtimeStatus: z.string(), output: z.unknown() });

/** Between two reads. The end is seen at most this late, which makes the measured time longer. */
const POLL_MS = 100;

type Host = Pick<Stack, "hostUrl" | "hostKey">;

export interface Ended {
  /** From the request to the read that shows the end. */
  readonly seconds: number;
  readonly output: unknown;
}

/**
 * Runs one orchestration by the durable extension's HTTP API, without the app's own API.
 *
 * @throws {Error} when it does not complete.
 */
export const runOrchestration = async (
  { hostUrl, hostKey }: Host,
  name: string,
  instanceId: string,
  input: unknown,
): Promise<Ended> => {
  const api = (path: string): URL => new URL(`/runtime/webhooks/durabletask/${path}`, hostUrl);
  const key = { "x-functions-key": hostKey };
  const started = performance.now();
  const answer = await fetch(api(`orchestrators/${name}/${instanceId}`), {
    method: "POST",
    headers: { "content-type": "application/json", ...key },
    body: JSON.stringify(input),
  });
  if (answer.status !== 202) throw new Error(`The host did not start ${name}: ${await answer.text()}`);
  for (;;) {
    await delay(POLL_MS);
    const shown = await fetch(api(`instances/${instanceId}?showInput=false`), { headers: key });
    const { runtimeStatus, output } = Status.parse(await shown.json());
    if (runtimeStatus === "Completed") return { seconds: (performance.now() - started) / 1000, output };
    if (!["Pending", "Running"].includes(runtimeStatus))
      throw new Error(`${name} ended as ${runtimeStatus}: ${String(output)}`);
  }
};

/**
 * One backup of one mailbox, from its start to its committed snapshot.
 *
 * @throws {Error} when items are missing, or the snapshot has another state.
 */
export const backUp = async (
  host: Host,
  mailbox: MailboxRef,
  items: number,
  state: BackupMailboxResult["state"] = "complete",
) => {
  const input = { mailbox, trigger: "request", full: false };
  const { seconds, output } = await runOrchestration(host, "backup-mailbox", backupInstance(mailbox.key), input);
  const result = BackupMailboxResult.parse(output);
  if (result.state !== state || result.items !== items)
    throw new Error(`A backup of ${items} items ended as ${result.state} with ${result.items}`);
  return { seconds, ...result };
};
