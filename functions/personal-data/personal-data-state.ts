import { createHash } from "node:crypto";
import * as z from "zod";
import { RunId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, parseJson, readJson, required } from "../../shared/storage/blobs.ts";
import { createOnce } from "../../shared/storage/create-once.ts";
import { Sha256 } from "../../shared/vault/records.ts";

const Count = z.int().nonnegative();

/** An export, and which of its containers. */
interface PackageId {
  readonly exportId: RunId;
  readonly attempt: number;
}

const prefix = ({ exportId, attempt }: PackageId): string => `personal-data-${exportId}/${attempt}/`;
const requestName = (id: PackageId): string => `${prefix(id)}request.json`;
const planName = (id: PackageId): string => `${prefix(id)}copy.json`;
const planPageName = (id: PackageId, generation: string, page: number): string =>
  `${prefix(id)}copy-${generation}/p${String(page).padStart(6, "0")}.json`;
const inventoryPageName = (id: PackageId, page: number): string =>
  `${prefix(id)}inventory/p${String(page).padStart(6, "0")}.json`;

/** The export that holds a person, and since when. */
const Claim = z.object({ exportId: RunId, at: z.iso.datetime() });
export type Claim = z.output<typeof Claim>;

/** By a hash, since no name may contain a person's id. */
const claimName = (userId: string): string =>
  `personal-data-claims/${createHash("sha256").update(userId.toLowerCase()).digest("hex")}.json`;

/** Tries to claim a person. A try is lost when another request for the same person wins. */
const MAX_CLAIM_TRIES = 5;

/**
 * Claims a person for an export, unless another export holds them and is not over; returns the export that holds them.
 * Of claims at the same time one wins, since each replaces only the version that it read.
 */
export const claimPerson = async (
  work: Blobs,
  userId: string,
  claim: Claim,
  isOver: (holder: Claim) => Promise<boolean>,
): Promise<RunId> => {
  const name = claimName(userId);
  for (let tries = 0; tries < MAX_CLAIM_TRIES; tries += 1) {
    const kept = await work.readWhole(name);
    const holder = kept && parseJson(name, kept.body, Claim);
    if (holder !== undefined && !(await isOver(holder))) return holder.exportId;
    if (await work.replace(name, jsonBytes(Claim.parse(claim)), kept?.etag)) return claim.exportId;
  }
  throw new Error(`${name}: lost ${MAX_CLAIM_TRIES} claims in a row`);
};

/** Releases a person whose export was not started after the claim. */
export const releasePerson = async (work: Blobs, userId: string): Promise<void> => {
  await work.remove(claimName(userId));
};

/** The operation that Graph named when it accepted a request. */
const Accepted = z.object({ operationId: z.string().min(1), retryAfterMs: Count.optional() });
export type Accepted = z.output<typeof Accepted>;

/** Keeps the operation of a package, unless it has one; returns the one that stands. */
export const keepAccepted = (work: Blobs, id: PackageId, accepted: Accepted): Promise<Accepted> =>
  createOnce(work, requestName(id), Accepted, accepted);

export const findAccepted = (work: Blobs, id: PackageId): Promise<Accepted | undefined> =>
  readJson(work, requestName(id), Accepted);

/** The number of blobs of the vault to copy into a package. Their names are in pages, named by the generation. */
const CopyPlan = z.object({ generation: z.string().min(1), blobs: Count });
export type CopyPlan = z.output<typeof CopyPlan>;

const Names = z.array(z.string());

export const NAMES_PER_PAGE = 1_000;

export const keepCopyPlanPage = async (
  work: Blobs,
  id: PackageId,
  generation: string,
  page: number,
  names: readonly string[],
): Promise<void> => {
  await work.create(planPageName(id, generation, page), jsonBytes(names));
};

/** Keeps the plan of a package, unless another delivery did; returns the plan that stands. */
export const keepCopyPlan = (work: Blobs, id: PackageId, plan: CopyPlan): Promise<CopyPlan> =>
  createOnce(work, planName(id), CopyPlan, plan);

export const findCopyPlan = (work: Blobs, id: PackageId): Promise<CopyPlan | undefined> =>
  readJson(work, planName(id), CopyPlan);

export const readCopyPlanPage = async (work: Blobs, id: PackageId, { generation }: CopyPlan, page: number) =>
  required(await readJson(work, planPageName(id, generation, page), Names), `Page ${page} of a plan to copy`);

/** A file of a package. Hashes are in hexadecimal, as people compare them. */
export const PackageFile = z.object({
  name: z.string().min(1),
  bytes: Count,
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  sha256: Sha256,
});
export type PackageFile = z.output<typeof PackageFile>;

/** Files in the order of names; `last`: there are no more. */
const InventoryPage = z.object({ files: z.array(PackageFile), last: z.boolean() });
export type InventoryPage = z.output<typeof InventoryPage>;

/** Keeps a page, unless another delivery did; returns the page that stands. */
export const keepInventoryPage = (work: Blobs, id: PackageId, page: number, files: InventoryPage) =>
  createOnce(work, inventoryPageName(id, page), InventoryPage, files);

export const findInventoryPage = (work: Blobs, id: PackageId, page: number): Promise<InventoryPage | undefined> =>
  readJson(work, inventoryPageName(id, page), InventoryPage);

export const readInventoryPage = async (work: Blobs, id: PackageId, page: number): Promise<InventoryPage> =>
  required(await findInventoryPage(work, id, page), `Page ${page} of an inventory`);
