import { setTimeout as delay } from "node:timers/promises";
import { type BlobClient, BlobServiceClient, RestError, StorageRetryPolicyType } from "@azure/storage-blob";
import type { Stack } from "../../local/stack/stack.ts";
import type { Random } from "./random.ts";

/** What went wrong between the app and its storage, and how often. */
export interface StorageTroubles {
  readonly outages: number;
  readonly leasesLost: number;
}

const WITHIN_MS = 15_000;

const LOOK_MS = 100;

/** Ten minutes, divided as the app's own waits are. */
const outageMs = (waitDivisor: number): number => (10 * 60_000) / waitDivisor;

/** Takes the storage away for once, or leases from those that hold them, at random moments of a round. */
export const troubleStorage = async (
  stack: Stack,
  random: Random,
  { waitDivisor, isOver }: { readonly waitDivisor: number; readonly isOver: () => boolean },
): Promise<StorageTroubles> => {
  let outages = 0;
  let leasesLost = 0;
  const takeAway = async () => {
    const answer = random.chance(0.5) ? 503 : "reset";
    await delay(random.number(500, WITHIN_MS));
    if (isOver()) return;
    await admin(stack, "POST", { answer, when: random.chance(0.5) ? "before" : "after" });
    outages += 1;
    await delay(outageMs(waitDivisor));
    await admin(stack, "DELETE");
  };
  const takeLeases = async () => {
    for (let left = random.number(1, 8); left > 0; left -= 1) {
      await delay(random.number(200, WITHIN_MS / 4));
      if (isOver()) return;
      if (await takeLease()) leasesLost += 1;
    }
  };
  /** There is one only while a wave is at work. */
  const takeLease = async (): Promise<boolean> => {
    while (!isOver()) {
      const [one] = await leasedBlobs(stack);
      if (one !== undefined) return endLease(one);
      await delay(LOOK_MS);
    }
    return false;
  };
  await Promise.all([random.chance(0.5) ? takeAway() : undefined, random.chance(0.6) ? takeLeases() : undefined]);
  return { outages, leasesLost };
};

const admin = async ({ storageUrl }: Stack, method: "POST" | "DELETE", fault?: object): Promise<void> => {
  const answer = await fetch(new URL("/__admin/faults", storageUrl), {
    method,
    ...(fault === undefined ? {} : { body: JSON.stringify(fault) }),
  });
  if (!answer.ok) throw new Error(`The storage refused ${method} faults: ${await answer.text()}`);
};

/** This suite outwaits the outages that it makes. */
const PATIENT = { retryOptions: { maxTries: 60, retryDelayInMs: 500, retryPolicyType: StorageRetryPolicyType.FIXED } };

/** Blobs of `work` that somebody has leased: ledgers of chunks that are being imported. */
export const leasedBlobs = async ({ connectionString }: Stack): Promise<BlobClient[]> => {
  const work = BlobServiceClient.fromConnectionString(connectionString, PATIENT).getContainerClient("work");
  const leased: BlobClient[] = [];
  for await (const { name, properties } of work.listBlobsFlat())
    if (properties.leaseState === "leased") leased.push(work.getBlobClient(name));
  return leased;
};

/** Whether it ended now: one may be let go of meanwhile. */
export const endLease = async (blob: BlobClient): Promise<boolean> => {
  try {
    await blob.getBlobLeaseClient().breakLease(0);
    return true;
  } catch (error) {
    const ended = ["LeaseNotPresentWithLeaseOperation", "BlobNotFound"];
    if (!(error instanceof RestError && ended.includes(error.code ?? ""))) throw error;
    return false;
  }
};
