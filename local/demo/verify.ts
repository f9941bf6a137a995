import * as z from "zod";
import type { User } from "../stack/admin.ts";
import type { VaultApi } from "../stack/api.ts";
import { readableBytes, type Screen } from "./screen.ts";

const Count = z.number().nonnegative();
const VerifyResult = z.looseObject({ packs: Count, items: Count, bytes: Count, problems: Count });

/** Has every byte of the vault read again and checked; whether all of it is sound. */
export const verifyVault = async (api: VaultApi, screen: Screen, users: readonly User[]): Promise<boolean> => {
  const sum = { packs: 0, items: 0, bytes: 0, problems: 0 };
  for (const { userPrincipalName } of users) {
    const { result } = await api.finish(await api.start(`/api/mailboxes/${userPrincipalName}/verify`, {}));
    const { packs, items, bytes, problems } = VerifyResult.parse(result);
    sum.packs += packs;
    sum.items += items;
    sum.bytes += bytes;
    sum.problems += problems;
  }
  const outcome = sum.problems === 0 ? "no damage" : `${sum.problems} problems`;
  screen.say(`\nVerified ${sum.items} items in ${sum.packs} packs, ${readableBytes(sum.bytes)}: ${outcome}`);
  return sum.problems === 0;
};
