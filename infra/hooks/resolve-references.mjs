import { setTimeout as wait } from "node:timers/promises";
import { az, azJson } from "./az.mjs";

const TRIES = 60;
const API = "api-version=2022-03-01";

/**
 * Has the app look its secrets up again, and waits until it has them: it keeps what it found, and also that it found
 * nothing, for a day. Source: learn.microsoft.com/azure/app-service/app-service-key-vault-references (read 2026-11).
 *
 * @throws when one is not resolved after ten minutes, with what the platform says of it.
 */
export const resolveReferences = async (group, app, pauseMs = 10_000) => {
  const id = az([
    "resource",
    "list",
    "--resource-group",
    group,
    "--resource-type",
    "Microsoft.Web/sites",
    "--name",
    app,
    "--query",
    "[0].id",
    "--output",
    "tsv",
  ]).trim();
  if (id === "") return "there is no app yet";
  const url = `https://management.azure.com${id}/config/configreferences/appsettings`;
  az(["rest", "--method", "POST", "--url", `${url}/refresh?${API}`, "--output", "none"]);
  for (let left = TRIES; ; left -= 1) {
    const { value = [] } = azJson(["rest", "--method", "GET", "--url", `${url}?${API}`]);
    const open = value.filter(({ properties }) => properties?.status !== "Resolved");
    if (open.length === 0) return `${value.length} references are resolved`;
    if (left === 0)
      throw new Error(
        open.map(({ name, properties }) => `${name}: ${properties?.status} ${properties?.details ?? ""}`).join("; "),
      );
    await wait(pauseMs);
  }
};
