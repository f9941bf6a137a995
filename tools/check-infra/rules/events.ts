import { OWN_PREFIX } from "../../../functions/personal-data/package-names.ts";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { at, listAt, ofType, type Resource, type Snapshot } from "../snapshot.ts";

const OF_STORAGE = "Microsoft.EventGrid/systemTopics/eventSubscriptions";
const OF_USERS = "Microsoft.EventGrid/partnerTopics/eventSubscriptions";

/**
 * Containers that may raise an event. Blobs that the app writes while it handles one are in others, or filtered out.
 */
const WATCHED: readonly unknown[] = [
  "/blobServices/default/containers/vault/blobs/",
  "/blobServices/default/containers/dsr-",
];

/** Checks that no event is lost silently, that filters prevent duplicates, and that no event causes itself. */
export const checkEvents = (project: Project): Finding[] =>
  project.snapshots
    .filter(({ target }) => target.layer === "events")
    .flatMap((snapshot) => {
      const subscriptions = [...ofType(snapshot, OF_STORAGE), ...ofType(snapshot, OF_USERS)];
      return [
        ...subscriptions.flatMap((subscription) => checkSubscription(snapshot, subscription)),
        ...checkFunctions(project, snapshot, subscriptions),
      ];
    });

const checkSubscription = ({ file }: Snapshot, { name, type, properties }: Resource): Finding[] => {
  const wrong: string[] = [];
  if (at(properties, "eventDeliverySchema") !== "CloudEventSchemaV1_0") wrong.push("should deliver CloudEvents");
  if (at(properties, "destination", "endpointType") !== "AzureFunction") wrong.push("should deliver to a function");
  if (at(properties, "destination", "properties", "maxEventsPerBatch") !== 1)
    wrong.push("should deliver one event at a time");
  if (listAt(properties, "filter", "includedEventTypes").length === 0)
    wrong.push("should name the types of its events");
  if (at(properties, "retryPolicy", "eventTimeToLiveInMinutes") === undefined)
    wrong.push("should say how long it tries");
  const deadLetters = at(properties, "deadLetterWithResourceIdentity", "deadLetterDestination", "properties");
  if (at(deadLetters, "blobContainerName") !== "dead-letters")
    wrong.push("should keep undelivered events in dead-letters");
  if (type === OF_STORAGE) wrong.push(...checkFilter(at(properties, "filter")));
  return wrong.map((what) => finding(file, `the subscription ${name} ${what}`));
};

const checkFilter = (filter: unknown): string[] => {
  const begins = at(filter, "subjectBeginsWith");
  if (!WATCHED.includes(begins)) return ["feeds itself: it gets events of containers that its own function writes to"];
  const advanced = listAt(filter, "advancedFilters");
  const wrong = advanced.some((one) => at(one, "key") === "data.api")
    ? []
    : ["should filter the kinds of writes, by data.api"];
  if (String(begins).includes("/vault/") && at(filter, "subjectEndsWith") !== ".manifest.json")
    wrong.push("feeds itself: of the vault it should get events of manifests only");
  const leavesOwnOut = advanced.some(
    (one) => at(one, "operatorType") === "StringNotContains" && listAt(one, "values").includes(`/blobs/${OWN_PREFIX}`),
  );
  if (String(begins).endsWith("/dsr-") && !leavesOwnOut)
    wrong.push("feeds itself: of a package it should not get events of the app's own files");
  return wrong;
};

/** Checks that every event function has a subscription, and every subscription a function. */
const checkFunctions = ({ functions }: Project, { file }: Snapshot, subscriptions: readonly Resource[]): Finding[] => {
  const registered = functions.filter(({ trigger }) => trigger === "eventGridTrigger").map(({ name }) => name);
  const targets = subscriptions.map(
    ({ properties }) =>
      /\/functions\/([^/']+)'?\)?\]?$/.exec(String(at(properties, "destination", "properties", "resourceId")))?.[1] ??
      "?",
  );
  return [
    ...targets
      .filter((target) => !registered.includes(target))
      .map((target) => finding(file, `the app has no event function ${target}`)),
    ...registered
      .filter((name) => !targets.includes(name))
      .map((name) => finding(file, `no subscription delivers events to the function ${name}`)),
  ];
};
