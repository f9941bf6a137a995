import type { Feature } from "../register.ts";
import { getTranslations } from "./get-translations.http.ts";
import { translateIds } from "./id-translation.contract.ts";
import { startTranslation } from "./start-translation.http.ts";
import { translateIdsOfMailbox } from "./translate-exchange-ids.orchestrator.ts";
import { translateIdsActivity } from "./translate-ids.activity.ts";

export const idTranslationFunctions: Feature = (register, { backup, translator }, { backup: { laneBudgetMs } }) => {
  register.http("start-translation", startTranslation({ ...backup, translator }));
  register.http("get-translations", getTranslations(backup));

  register.orchestrator("translate-exchange-ids", translateIdsOfMailbox);
  register.activity(translateIds, translateIdsActivity({ ...backup, laneBudgetMs }));
};
