import type { Refusal } from "../../shared/contracts/id-formats.ts";
import type { Translator } from "./translator.ts";

/** What to do when Graph refuses to translate ids, for the app or for a caller. */
export const refusalText = (refusal: Refusal, by: Translator["by"]): string => {
  if (refusal === "user") return USER_GONE;
  return by === "app" ? APP_REFUSED : CALLER_REFUSED;
};

const USER_GONE =
  "The directory does not have the mailbox's user any more, and Graph translates ids of its users only: " +
  "use REST or EWS ids.";
const APP_REFUSED =
  "Graph does not let the app translate ids: grant its managed identity the application permission User.Read.All or, " +
  "in a tenant that lets no app do this by itself, set ID_TRANSLATION to delegated.";
const CALLER_REFUSED =
  "Graph does not let you translate ids of this mailbox: the app registration needs the delegated permission " +
  "User.ReadBasic.All, or User.Read.All.";
