import { BlobServiceClient } from "@azure/storage-blob";
import { azurePackages } from "../../../functions/personal-data/packages.ts";
import type { StartOptions } from "../../../local/graph/emulator.ts";
import { useAzurite } from "../../support/azurite.ts";
import { aMailboxInGraph } from "../kit.ts";

/** A person in a directory, with exports that advance step by step, and real containers for them. */
export const aPerson = async (settings: StartOptions["settings"] = {}) => {
  const kit = await aMailboxInGraph(
    { items: 0 },
    { settings: { ...settings, behaviours: { exportStepMs: 0, ...settings?.behaviours } } },
  );
  const service = BlobServiceClient.fromConnectionString(useAzurite().connectionString);
  const packages = azurePackages(service, { kind: "connection-string", sasMs: 3_600_000 });
  const step = (steps: number) => kit.admin["step-exports"]({ steps });
  return { ...kit, userId: kit.mailbox.userId, packages, service, step };
};
