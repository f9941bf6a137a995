import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { GraphAdmin, User } from "../stack/admin.ts";
import type { VaultApi } from "../stack/api.ts";
import type { Screen } from "./screen.ts";

const Translations = z.looseObject({ results: z.array(z.looseObject({ translated: z.string().optional() })) });

/** So many ids are asked for at once. */
const MOST = 1_000;

export interface TranslationFigures {
  readonly ids: number;
  /** Those that were the same again after the way there and back. */
  readonly same: number;
}

/** Translates the ids of a mailbox's items into those that survive a move, and back. */
export const translateIds = async (
  api: VaultApi,
  admin: GraphAdmin,
  screen: Screen,
  { userPrincipalName: mailbox }: User,
): Promise<TranslationFigures> => {
  const translate = async (ids: readonly string[], from: string, to: string): Promise<string[]> => {
    const answer = await api.request("/api/ids/translate", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ mailbox, ids, from, to }),
    });
    if (answer.status !== 200) throw new Error(`The translation answered ${answer.status}: ${await answer.text()}`);
    return Translations.parse(await answer.json()).results.map(({ translated = "" }) => translated);
  };
  const ids = (await admin.items(mailbox)).slice(0, MOST).map(({ id }) => id);
  const immutable = await translate(ids, "restId", "restImmutableEntryId");
  const back = await translate(immutable, "restImmutableEntryId", "restId");
  const same = back.filter((id, at) => id === ids[at]).length;
  screen.say(`\nTranslation: ${ids.length} ids became immutable ones, and ${same} came back the same`);
  if (isDeepStrictEqual(immutable, ids)) throw new Error("Immutable ids are the ids that were to be translated");
  return { ids: ids.length, same };
};
