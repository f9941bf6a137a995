import { blobAuditLog } from "../shared/audit/blob-audit-log.ts";
import type { Config } from "../shared/config.ts";
import { clientOf } from "../shared/durable/client.ts";
import { graph } from "../shared/graph/graph-client.ts";
import { importer } from "../shared/graph/import-item.ts";
import { mailboxGates } from "../shared/graph/mailbox-gate.ts";
import { PROGRAM } from "../shared/program.ts";
import { dutyCredential } from "../shared/security/credentials.ts";
import { onBehalfOf } from "../shared/security/on-behalf-of.ts";
import { sealer } from "../shared/security/seal.ts";
import { azureBlobs } from "../shared/storage/azure-blobs.ts";
import {
  auditContainer,
  blobService,
  stateContainer,
  vaultContainer,
  workContainer,
} from "../shared/storage/containers.ts";
import { appTranslator, callerTranslator } from "./id-translation/translator.ts";
import { notifier } from "./notify/notifier.ts";
import { webhook } from "./notify/webhook.ts";
import { azurePackages } from "./personal-data/packages.ts";
import { UndoEntry } from "./restore/undo/undo-ledger.ts";
import { blobLedgers, blobLedgersOf } from "./restore/upload/ledger.ts";

/**
 * The services that functions use, by duty. Each duty has an identity of its own with the rights that the duty needs,
 * to its containers and in Graph, and no others: the identity that backs up cannot import.
 */
export const openServices = ({
  graph: graphConfig,
  storage,
  sealKey,
  idTranslation,
  followUp,
  personalData,
  slots,
}: Config) => {
  const { endpoint, importHosts } = graphConfig;
  const userAgent = PROGRAM;

  const gates = mailboxGates();
  const { holdMs } = slots;

  const backupCredential = dutyCredential(graphConfig.backup);
  const restoreCredential = dutyCredential(graphConfig.restore);
  const privacyCredential = dutyCredential(graphConfig.privacy);
  const backupStorage = blobService(storage, backupCredential);
  const restoreStorage = blobService(storage, restoreCredential);
  const privacyStorage = blobService(storage, privacyCredential);

  const state = azureBlobs(stateContainer(backupStorage));
  const audit = blobAuditLog(auditContainer(restoreStorage));

  const backup = {
    clientOf,
    gates,
    holdMs,
    openGraph: graph({ endpoint, credential: backupCredential, userAgent }),
    vault: azureBlobs(vaultContainer(backupStorage)),
    work: azureBlobs(workContainer(backupStorage)),
    state,
    audit,
    reachVault: () => vaultContainer(backupStorage).exists(),
  };
  const restore = {
    clientOf,
    gates,
    holdMs,
    openGraph: graph({ endpoint, credential: restoreCredential, userAgent }),
    openImporter: importer({ importHosts, userAgent }),
    importHosts,
    sealer: sealer(sealKey),
    vault: azureBlobs(vaultContainer(restoreStorage)),
    work: azureBlobs(workContainer(restoreStorage)),
    ledgers: blobLedgers(workContainer(restoreStorage)),
    undoLedgers: blobLedgersOf(workContainer(restoreStorage), UndoEntry),
    state,
    audit,
  };
  const privacy = {
    clientOf,
    openGraph: graph({ endpoint, credential: privacyCredential, userAgent }),
    vault: azureBlobs(vaultContainer(privacyStorage)),
    work: azureBlobs(workContainer(privacyStorage)),
    packages: azurePackages(privacyStorage, { kind: storage.kind, sasMs: personalData.sasMs }),
    audit: blobAuditLog(auditContainer(privacyStorage)),
  };

  const translator =
    idTranslation.by === "app"
      ? appTranslator(backup.openGraph)
      : callerTranslator({
          scope: `${endpoint}/.default`,
          credentialOf: onBehalfOf(
            { tenantId: idTranslation.tenantId, clientId: idTranslation.clientId },
            backupCredential,
          ),
          graphAs: (credential) => graph({ endpoint, credential, userAgent }),
        });
  const post = followUp.webhook && webhook(followUp.webhook, { userAgent });
  return { backup, restore, privacy, translator, notifier: notifier({ state, post }) };
};

export type Services = ReturnType<typeof openServices>;
