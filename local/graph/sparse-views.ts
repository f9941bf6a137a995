import { hashText } from "./generated-content.ts";
import type { Behaviours } from "./settings.ts";

type View = Readonly<Record<string, unknown>>;

const SHOWN = ["id", "version", "changed", "all"] as const;

/**
 * An item that a delta round shows although an earlier one showed it, with no more than what the switch lets through.
 */
export const sparseItem = (view: View, show: Behaviours["deltaItemsShow"], changed: ReadonlySet<string>): View => {
  const shown = show === "drawn" ? SHOWN[hashText(`${view["id"]} ${view["changeKey"]}`) % SHOWN.length] : show;
  if (shown === "all") return view;
  const version = shown === "id" ? [] : ["changeKey", "lastModifiedDateTime"];
  return only(view, new Set(["id", ...version, ...(shown === "changed" ? changed : [])]));
};

/** A folder that a delta round shows although an earlier one showed it: its id, and what changed. */
export const sparseFolder = (view: View, changed: ReadonlySet<string>): View => only(view, new Set(["id", ...changed]));

const only = (view: View, names: ReadonlySet<string>): View =>
  Object.fromEntries(Object.entries(view).filter(([name]) => names.has(name)));
