import type { InvocationContext } from "@azure/functions";
import { type DurableClient, getClient, input } from "durable-functions";

/** The input binding through which a function reaches the task hub. */
export const durableClient = input.durableClient();

export const clientOf = (context: InvocationContext): DurableClient => getClient(context);

/** How a function gets its client of the task hub; tests pass their own. */
export type ClientOf = (context: InvocationContext) => DurableClient;
