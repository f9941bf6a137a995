import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import { claimPart as claim } from "../../shared/durable/claimed-starts.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { claimPart } from "./claim-part.contract.ts";

/** Claims the id of a part. Run twice, it is claimed once. */
export const claimPartActivity = (deps: { readonly clientOf: ClientOf; readonly state: Blobs }): ActivityHandler =>
  implement(claimPart, async (asked, context) => ({
    isClaimed: (await claim(deps.clientOf(context), deps.state, asked)) === "claimed",
  }));
