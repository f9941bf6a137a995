import { type AccessToken, ManagedIdentityCredential, type TokenCredential } from "@azure/identity";

import type { DutyCredential } from "../config.ts";

const localToken = (token: string): TokenCredential => ({
  getToken: async (): Promise<AccessToken> => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
});

/** The credential of one duty: the managed identity by its client id, or a fixed token for an emulator. */
export const dutyCredential = (duty: DutyCredential): TokenCredential => {
  if (duty.kind === "local-token") return localToken(duty.token);
  return duty.clientId === undefined
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId: duty.clientId });
};
