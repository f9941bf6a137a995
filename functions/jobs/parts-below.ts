import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { placeInstance } from "../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { jobKind } from "../jobs.ts";

/** Parts that are looked up at the same time. */
const WIDTH = 8;

/** The parts that a job works through at the moment, and theirs. */
export const partsBelow = async (
  client: Pick<DurableClient, "getStatus">,
  job: DurableOrchestrationStatus,
): Promise<string[]> => {
  const below = await mapBounded(partsOf(job), WIDTH, async (id) => {
    const part = await findInstance(client, id);
    return part === undefined || !isAlive(part) ? [] : [id, ...(await partsBelow(client, part))];
  });
  return below.flat();
};

const WindowStatus = z.looseObject({ places: z.int().nonnegative() });
const PlaceStatus = z.looseObject({ running: z.string() });

const partsOf = ({ name, instanceId, customStatus }: DurableOrchestrationStatus): string[] => {
  const parts = jobKind(name)?.parts;
  if (parts === "window") {
    const places = WindowStatus.safeParse(customStatus).data?.places ?? 0;
    return Array.from({ length: places }, (_, place) => placeInstance(place, instanceId));
  }
  if (parts === "place") {
    const running = PlaceStatus.safeParse(customStatus).data?.running;
    return running === undefined ? [] : [running];
  }
  return [];
};
