import { BlobServiceClient } from "@azure/storage-blob";
import { isUnfinished } from "../../functions/restore/paging/paged.contract.ts";
import { planRestoreActivity } from "../../functions/restore/plan/plan-restore.activity.ts";
import { reconcileRestoreActivity } from "../../functions/restore/report/reconcile-restore.activity.ts";
import { planRestore, reconcileRestore } from "../../functions/restore/restore.contract.ts";
import { blobLedgers } from "../../functions/restore/upload/ledger.ts";
import { isAway } from "../../shared/durable/outages.ts";
import { graph } from "../../shared/graph/graph-client.ts";
import { dutyCredential } from "../../shared/security/credentials.ts";
import { azureBlobs } from "../../shared/storage/azure-blobs.ts";
import { peakMemoryMib } from "../memory.ts";

/** One restore's planning, or its comparison, in a process of its own: prints each step's seconds and memory. */
const [what = "", connection = "", graphUrl = "", order = "{}", seconds = "100"] = process.argv.slice(2);

const service = BlobServiceClient.fromConnectionString(connection);
const container = (name: string) => service.getContainerClient(name);
const deps = {
  openGraph: graph({
    endpoint: graphUrl,
    credential: dutyCredential({ kind: "local-token", token: "bench" }),
    userAgent: "bench",
  }),
  vault: azureBlobs(container("vault")),
  work: azureBlobs(container("work")),
  state: azureBlobs(container("state")),
  ledgers: blobLedgers(container("work")),
  clientOf: () => ({ raiseEvent: async () => undefined }) as never,
  laneBudgetMs: Number(seconds) * 1000,
};
const contract = what === "plan" ? planRestore : reconcileRestore;
const activity = what === "plan" ? planRestoreActivity(deps) : reconcileRestoreActivity(deps);

/** Nothing of it is used but by the task hub's client, which is none here. */
const NO_CONTEXT = {} as Parameters<typeof activity>[1];

for (let step = 1; ; step += 1) {
  const began = performance.now();
  const answer = contract.output.parse(await activity(JSON.parse(order), NO_CONTEXT));
  const took = ((performance.now() - began) / 1000).toFixed(1);
  const rss = Math.round(process.memoryUsage.rss() / 1024 / 1024);
  const peak = Math.round(await peakMemoryMib(process.pid));
  console.log(`${what} step ${step}: ${took} s, ${rss} MiB now, ${peak} MiB at most`);
  if (isAway(answer)) continue;
  if (!isUnfinished(answer)) {
    console.log(JSON.stringify(answer));
    break;
  }
}
