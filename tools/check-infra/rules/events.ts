import { OWN_PREFIX } from "../../../functions/personal-data/package-names.ts";
import { type Expression, textOf, valueAt } from "../bicep/ast.ts";
import { type Finding, finding } from "../finding.ts";
import { type Deployed, deployed, type Project } from "../project.ts";

const FILE = "infra/events/main.bicep";
const TYPES = [
  "Microsoft.EventGrid/systemTopics/eventSubscriptions",
  "Microsoft.EventGrid/partnerTopics/eventSubscriptions",
];

/**
 * Containers that may raise an event. Blobs that the app writes while it handles one are in others, or filtered out.
 */
const WATCHED = ["/blobServices/default/containers/vault/blobs/", "/blobServices/default/containers/dsr-"];

/** Checks that no event is lost silently, that filters prevent duplicates, and that no event causes itself. */
export const checkEvents = (project: Project): Finding[] => {
  const subscriptions = TYPES.flatMap((type) => deployed(project, type));
  return [...subscriptions.flatMap(checkSubscription), ...checkFunctions(project, subscriptions)];
};

const checkSubscription = ({ file, statement }: Deployed): Finding[] => {
  const properties = valueAt(statement.body, "properties");
  const at = (...keys: readonly string[]): Expression | undefined => valueAt(properties, ...keys);
  const wrong: string[] = [];

  if (textOf(at("eventDeliverySchema")) !== "CloudEventSchemaV1_0") wrong.push("should deliver CloudEvents");
  if (textOf(at("destination", "endpointType")) !== "AzureFunction") wrong.push("should deliver to a function");
  const batch = at("destination", "properties", "maxEventsPerBatch");
  if (batch?.kind !== "literal" || batch.value !== 1) wrong.push("should deliver one event at a time");
  if (!hasEntries(at("filter", "includedEventTypes"))) wrong.push("should name the types of its events");
  if (at("retryPolicy", "eventTimeToLiveInMinutes") === undefined) wrong.push("should say how long it tries");

  const deadLetters = at("deadLetterWithResourceIdentity", "deadLetterDestination", "properties", "blobContainerName");
  if (textOf(deadLetters) !== "dead-letters") wrong.push("should keep undelivered events in dead-letters");

  if (statement.what.startsWith("Microsoft.EventGrid/systemTopics/")) wrong.push(...checkFilter(properties));
  return wrong.map((what) => finding(file, statement.at, `the subscription ${statement.name} ${what}`));
};

const checkFilter = (properties: Expression | undefined): string[] => {
  const begins = textOf(valueAt(properties, "filter", "subjectBeginsWith")) ?? "";
  if (!WATCHED.includes(begins)) return ["feeds itself: it gets events of containers that its own function writes to"];
  const advanced = valueAt(properties, "filter", "advancedFilters");
  const keys = advanced?.kind === "array" ? advanced.items.map((item) => textOf(valueAt(item, "key"))) : [];
  const wrong = keys.includes("data.api") ? [] : ["should filter the kinds of writes, by data.api"];
  const ends = textOf(valueAt(properties, "filter", "subjectEndsWith"));
  if (begins.includes("/vault/") && ends !== ".manifest.json")
    wrong.push("feeds itself: of the vault it should get events of manifests only");
  if (begins.endsWith("/dsr-") && !hasOwn(advanced))
    wrong.push("feeds itself: of a package it should not get events of the app's own files");
  return wrong;
};

/** Whether the app's own files of a package are filtered out. */
const hasOwn = (filters: Expression | undefined): boolean =>
  filters?.kind === "array" &&
  filters.items.some((filter) => {
    const values = valueAt(filter, "values");
    const texts = values?.kind === "array" ? values.items.map(textOf) : [];
    return textOf(valueAt(filter, "operatorType")) === "StringNotContains" && texts.includes(`/blobs/${OWN_PREFIX}`);
  });

const hasEntries = (list: Expression | undefined): boolean => list?.kind === "array" && list.items.length > 0;

/** Checks that every event function has a subscription, and every subscription a function. */
const checkFunctions = (project: Project, subscriptions: readonly Deployed[]): Finding[] => {
  const registered = project
    .list("functions")
    .filter((path) => path.endsWith(".functions.ts"))
    .flatMap((path) => [...project.text(path).matchAll(/register\.event\("([a-z-]+)"/g)])
    .map(([, name = ""]) => name);
  const targets = subscriptions.map(({ file, statement }) => {
    const resource = valueAt(statement.body, "properties", "destination", "properties", "resourceId");
    const end = resource?.kind === "string" ? resource.parts.at(-1) : undefined;
    return { file, statement, target: typeof end === "string" ? end.replace("/functions/", "") : "" };
  });
  return [
    ...targets
      .filter(({ target }) => !registered.includes(target))
      .map(({ file, statement, target }) => finding(file, statement.at, `the app has no event function ${target}`)),
    ...registered
      .filter((name) => !targets.some(({ target }) => target === name))
      .map((name) => finding(FILE, undefined, `no subscription delivers events to the function ${name}`)),
  ];
};
