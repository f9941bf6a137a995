import { createHash } from "node:crypto";
import * as z from "zod";
import { RunId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, parseJson, readJson, required } from "../../shared/storage/blobs.ts";
import { createOnce } from "../../shared/storage/create-once.ts";
import { Sha256 } from "../../shared/vault/records.ts";

const Count = z.int().nonnegative();

/** Which package of which export. */
interface Package {
  readonly exportId: RunId;
  readonly attempt: number;
}

const prefix = ({ exportId, attempt }: Package): string => `personal-data-${exportId}/${attempt}/`;
const requestName = (of: Package): string => `${prefix(of)}request.json`;
const planName = (of: Package): string => `${prefix(of)}copy.json`;
const planPageName = (of: Package, generation: string, page: number): string =>
  `${prefix(of)}copy-${generation}/p${String(page).padStart(6, "0")}.json`;
const inventoryPageName = (of: Package, page: number): string =>
  `${prefix(of)}inventory/p${String(page).padStart(6, "0")}.json`;

/** Who is exporting a person's data. */
const Claim = z.object({ exportId: RunId, at: z.iso.datetime() });
export type Claim = z.output<typeof Claim>;

/** A person's id is in no name. */
const claimName = (userId: string): string =>
  `personal-data-claims/${createHash("sha256").update(userId.toLowerCase()).digest("hex")}.json`;

/** Tries before giving up: each that is lost means that another request for the same person came between. */
const CLAIM_ATTEMPTS = 5;

/**
 * Makes a person this export's, unless another that is not over has them; yields whose they then are. Of claims at the
 * same time one wins: each is written over what was read only.
 */
export const claimPerson = async (
  work: Blobs,
  userId: string,
  claim: Claim,
  isOver: (holder: Claim) => Promise<boolean>,
): Promise<RunId> => {
  const name = claimName(userId);
  for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt += 1) {
    const kept = await work.readWhole(name);
    const holder = kept && parseJson(name, kept.body, Claim);
    if (holder !== undefined && !(await isOver(holder))) return holder.exportId;
    if (await work.replace(name, jsonBytes(Claim.parse(claim)), kept?.etag)) return claim.exportId;
  }
  throw new Error(`${name}: lost ${CLAIM_ATTEMPTS} claims in a row`);
};

/** Lets go of a person whose export was claimed and not started. */
export const releasePerson = async (work: Blobs, userId: string): Promise<void> => {
  await work.remove(claimName(userId));
};

/** What Graph named when it accepted a request. */
const Accepted = z.object({ operationId: z.string().min(1), retryAfterMs: Count.optional() });
export type Accepted = z.output<typeof Accepted>;

/** Keeps the operation of a package; a package has one. */
export const keepAccepted = (work: Blobs, of: Package, accepted: Accepted): Promise<Accepted> =>
  createOnce(work, requestName(of), Accepted, accepted);

export const findAccepted = (work: Blobs, of: Package): Promise<Accepted | undefined> =>
  readJson(work, requestName(of), Accepted);

/** Which blobs of the vault belong into a package: so many, in pages below a name of the plan's own. */
const CopyPlan = z.object({ generation: z.string().min(1), blobs: Count });
export type CopyPlan = z.output<typeof CopyPlan>;

const Names = z.array(z.string());

export const NAMES_PER_PAGE = 1_000;

export const keepCopyPlanPage = async (
  work: Blobs,
  of: Package,
  generation: string,
  page: number,
  names: readonly string[],
): Promise<void> => {
  await work.create(planPageName(of, generation, page), jsonBytes(names));
};

/** Makes this the package's plan, unless another delivery's is; gives the one that stands. */
export const keepCopyPlan = (work: Blobs, of: Package, plan: CopyPlan): Promise<CopyPlan> =>
  createOnce(work, planName(of), CopyPlan, plan);

export const findCopyPlan = (work: Blobs, of: Package): Promise<CopyPlan | undefined> =>
  readJson(work, planName(of), CopyPlan);

export const readCopyPlanPage = async (work: Blobs, of: Package, { generation }: CopyPlan, page: number) =>
  required(await readJson(work, planPageName(of, generation, page), Names), `Page ${page} of a plan to copy`);

/** A file of a package. MD5 in hexadecimal too, as people compare it. */
export const PackageFile = z.object({
  name: z.string().min(1),
  bytes: Count,
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  sha256: Sha256,
});
export type PackageFile = z.output<typeof PackageFile>;

/** Files in the order of names, and whether they are the last. */
const InventoryPage = z.object({ files: z.array(PackageFile), last: z.boolean() });
export type InventoryPage = z.output<typeof InventoryPage>;

/** The page that is kept first stands. */
export const keepInventoryPage = (work: Blobs, of: Package, page: number, files: InventoryPage) =>
  createOnce(work, inventoryPageName(of, page), InventoryPage, files);

export const findInventoryPage = (work: Blobs, of: Package, page: number): Promise<InventoryPage | undefined> =>
  readJson(work, inventoryPageName(of, page), InventoryPage);

export const readInventoryPage = async (work: Blobs, of: Package, page: number): Promise<InventoryPage> =>
  required(await findInventoryPage(work, of, page), `Page ${page} of an inventory`);
