import { type ActivityHandler, app, type OrchestrationHandler } from "durable-functions";
import type { ActivityContract } from "./activity.ts";
import { durableClient } from "./client.ts";

/** Registers an orchestrator under its name. */
export const orchestrator = (name: string, handler: OrchestrationHandler): void => {
  app.orchestration(name, handler);
};

/** Registers an activity under its contract's name. */
export const activity = ({ name }: ActivityContract, handler: ActivityHandler): void => {
  app.activity(name, { handler });
};

/** Registers an activity that uses the client of the task hub. */
export const activityWithClient = ({ name }: ActivityContract, handler: ActivityHandler): void => {
  app.activity(name, { handler, extraInputs: [durableClient] });
};
