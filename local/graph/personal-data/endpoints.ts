import { randomUUID } from "node:crypto";
import { z } from "zod";
import { knownUser } from "../directory.ts";
import { GraphFailure } from "../errors.ts";
import { contextUrl, type DirectoryCall, paramOf, type Reply } from "../world.ts";
import type { Operation } from "./operations.ts";
import { checkStorage } from "./storage-checks.ts";

const Body = z.looseObject({ storageLocation: z.unknown() }).catch({ storageLocation: undefined });

/**
 * POST /users/{user}/exportPersonalData. @doc 202, no body, `Location` and `Retry-After`. @guess That limits are looked
 * at before the container is.
 */
export const exportPersonalData = async (call: DirectoryCall): Promise<Reply> => {
  const { world, request, version } = call;
  const { user } = knownUser(call);
  const { storageLocation } = Body.parse(await request.json());
  world.exports.admit(user.id);
  const id = randomUUID();
  // @guess What the file says.
  await checkStorage(
    storageLocation,
    JSON.stringify({ requestId: id, creationTime: new Date(world.now()).toISOString() }),
  );
  world.exports.start({ id, userId: user.id, storageLocation: String(storageLocation) });
  return {
    status: 202,
    headers: {
      location: `${request.origin}/${version}/dataPolicyOperations/${id}`,
      "retry-after": String(world.settings().behaviours.exportRetryAfterSeconds),
    },
  };
};

/**
 * GET /dataPolicyOperations/{operation}. @doc Properties and states. The message of a 404 is known from Microsoft's
 * service;
 * @guess its status and code.
 */
export const getOperation = (call: DirectoryCall): Reply => {
  const { world } = call;
  const operation = world.exports.read(paramOf(call, "operation"));
  if (operation === undefined)
    throw new GraphFailure(404, "ResourceNotFound", "Cannot find any operations with the input Id.");
  const { operationRetryAfterSeconds: seconds } = world.settings().behaviours;
  return {
    status: 200,
    ...(seconds !== undefined && { headers: { "retry-after": String(seconds) } }),
    json: { "@odata.context": contextUrl(call, "dataPolicyOperations/$entity"), ...view(call, operation) },
  };
};

const view = ({ world }: DirectoryCall, operation: Operation): Record<string, unknown> => {
  const { exportProgress, exportRunningStatus, operationShowsSas } = world.settings().behaviours;
  const { id, userId, status, submitted, completed, written, files, storageLocation } = operation;
  const progress = status === "complete" ? 100 : Math.floor((100 * written) / Math.max(1, files));
  return {
    id,
    userId,
    status: status === "running" ? exportRunningStatus : status,
    progress: exportProgress === "number" ? progress : String(progress),
    storageLocation: operationShowsSas ? storageLocation : storageLocation.replace(/\?.*$/, ""),
    submittedDateTime: new Date(submitted).toISOString(),
    completedDateTime: completed === undefined ? null : new Date(completed).toISOString(),
  };
};
