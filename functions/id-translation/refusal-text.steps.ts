import type { Refusal } from "../../shared/contracts/id-formats.ts";
import type { Translator } from "./translator.ts";

/** What to do when Graph translates no id at all, by who asked it. */
export const refusalText = (refusal: Refusal, by: Translator["by"]): string => {
  if (refusal === "user")
    return "The directory does not have the mailbox's user any more, and Graph translates ids of its users only: name items by REST or EWS id.";
  return by === "app"
    ? "Graph does not let the app translate ids: grant its managed identity the application permission User.Read.All or, in a tenant that lets no app do this by itself, set ID_TRANSLATION to delegated."
    : "Graph does not let you translate ids of this mailbox: the app registration needs the delegated permission User.ReadBasic.All, or User.Read.All.";
};
