import { type Instance, runtimeStatus } from "./instance.ts";
import type { LoadedInstance } from "./loaded-instances.ts";

/** Instances in one response by default. Source: OrchestrationStatusQueryCondition.cs. */
const PAGE_SIZE = 100;

interface Filter {
  readonly instanceIdPrefix: string;
  readonly createdFromMs: number;
  readonly createdToMs: number;
  /** Empty for any. */
  readonly statuses: readonly string[];
}

/** The filter in the query of a URL. As in the extension, a value that does not parse is ignored. */
export const filterOf = (query: URLSearchParams): Filter => ({
  instanceIdPrefix: query.get("instanceIdPrefix") ?? "",
  createdFromMs: timeOf(query.get("createdTimeFrom")) ?? Number.NEGATIVE_INFINITY,
  createdToMs: timeOf(query.get("createdTimeTo")) ?? Number.POSITIVE_INFINITY,
  statuses: query.getAll("runtimeStatus").flatMap((names) => names.split(",").filter((name) => STATUSES.has(name))),
});

/** Unknown names are dropped, so that they alone select everything. Source: HttpApiHandler.cs, TryGetStatuses. */
const STATUSES: ReadonlySet<string> = new Set([
  ...["Pending", "Running", "Suspended", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated"],
]);

export const timeOf = (text: string | null): number | undefined => {
  const timeMs = Date.parse(text ?? "");
  return Number.isNaN(timeMs) ? undefined : timeMs;
};

export const matches = (filter: Filter, instance: Instance): boolean =>
  instance.start.instanceId.startsWith(filter.instanceIdPrefix) &&
  instance.start.createdAtMs >= filter.createdFromMs &&
  instance.start.createdAtMs <= filter.createdToMs &&
  (filter.statuses.length === 0 || filter.statuses.includes(runtimeStatus(instance)));

interface Page {
  readonly instances: LoadedInstance[];
  /** Where the next page begins; empty on the last one. */
  readonly continuation: string;
}

/**
 * A page of the table, whose order is that of the ids, without what does not match: so it may be short, or empty, and
 * not the last one.
 */
export const pageOf = (
  instances: readonly LoadedInstance[],
  query: URLSearchParams,
  continuation: string | null,
): Page => {
  const filter = filterOf(query);
  const top = Number.parseInt(query.get("top") ?? "", 10);
  const size = top > 0 ? top : PAGE_SIZE;
  const after = continuation === null || continuation === "" ? "" : Buffer.from(continuation, "base64url").toString();
  const idOf = ({ instance }: LoadedInstance) => instance.start.instanceId;

  const rest = instances.filter((loaded) => idOf(loaded) > after).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  const page = rest.slice(0, size);
  const last = page.at(-1);
  const more = rest.length > size && last !== undefined;
  return {
    instances: page.filter(({ instance }) => matches(filter, instance)),
    continuation: more ? Buffer.from(idOf(last)).toString("base64url") : "",
  };
};
