import { copyMailboxDataActivity } from "../../../functions/personal-data/copy-mailbox-data.activity.ts";
import { listPersonalDataActivity } from "../../../functions/personal-data/list-personal-data.activity.ts";
import { packageName } from "../../../functions/personal-data/package-names.ts";
import { copyMailboxData, listPersonalData } from "../../../functions/personal-data/personal-data.contract.ts";
import { personalDataInstance } from "../../../shared/contracts/job-ids.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { deliver } from "../kit.ts";
import { memoryPackages } from "./an-export.ts";

export const exportId = "20261122T010000Z-abc234";
export const job = personalDataInstance(exportId);

/** A package with files, and the activities that add to it. */
export const aPackage = async (files: Readonly<Record<string, string>> = {}, laneBudgetMs = 600_000) => {
  const packages = memoryPackages();
  const [vault, work] = [memoryBlobs(), memoryBlobs()];
  const name = packageName(exportId);
  await packages.make(name);
  const container = packages.open(name);
  for (const [file, text] of Object.entries(files)) await container.create(file, Buffer.from(text));
  const deps = { packages, vault, work, laneBudgetMs };
  const packageId = { exportId, attempt: 1 };
  const copy = (mailboxes: readonly string[], from = 0) =>
    deliver(copyMailboxDataActivity(deps), copyMailboxData, { ...packageId, mailboxes: [...mailboxes], from });
  const list = (page = 0) => deliver(listPersonalDataActivity(deps), listPersonalData, { ...packageId, page });
  const names = async () => {
    const found: string[] = [];
    for await (const blob of container.list("")) found.push(blob.name);
    return found;
  };
  return { packages, vault, work, container, name, copy, list, names };
};
