import type { ActivityHandler } from "durable-functions";
import { implementThroughOutages } from "../../shared/durable/through-outages.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { readWish } from "./wish.contract.ts";
import { wishOf } from "./wishes.ts";

/** Reads what a job is to do. Only reads. */
export const readWishActivity = (deps: { readonly state: Blobs }): ActivityHandler =>
  implementThroughOutages(readWish, async ({ jobs }) => ({ wish: await wishOf(deps.state, jobs) }));
