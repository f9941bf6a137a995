import { type ExtendedProperty, seconds } from "./extended-properties.ts";
import { hashText, mix } from "./generated-content.ts";
import { payloadBytesOf } from "./item-stream.ts";
import type { HostedMailbox } from "./mailboxes.ts";
import type { Behaviours } from "./settings.ts";
import type { ItemRecord } from "./state/records.ts";

/** An imported item is a little larger than its original was. @observed */
const IMPORT_GROWTH_BYTES = 317;

export const itemId = (mailbox: HostedMailbox, item: ItemRecord): string =>
  mailbox.state.ids.item(item, item.generation);

/** An item as listings and deltas show it. */
export const itemView = (
  mailbox: HostedMailbox,
  item: ItemRecord,
  behaviours: Behaviours,
  extended?: readonly ExtendedProperty[],
): Record<string, unknown> => {
  const changeKey = mailbox.state.ids.changeKey(item.changeNumber);
  return {
    "@odata.type": "#microsoft.graph.mailboxItem",
    "@odata.etag": `W/"${changeKey}"`,
    id: itemId(mailbox, item),
    changeKey,
    categories: item.properties.categories,
    createdDateTime: seconds(item.created),
    lastModifiedDateTime: seconds(item.modified),
    size: announcedSize(mailbox, item, behaviours),
    type: item.properties.type,
    ...(extended !== undefined && extended.length > 0 && { singleValueExtendedProperties: extended }),
  };
};

/** @observed `size` lies low. */
const announcedSize = (mailbox: HostedMailbox, item: ItemRecord, { sizeFactor }: Behaviours): number => {
  const draw = mix(hashText(item.properties.searchKey)) / 2 ** 32;
  const factor = sizeFactor.min + (sizeFactor.max - sizeFactor.min) * draw;
  const size = Math.round(payloadBytesOf(item.content, mailbox.state.seed) / factor);
  return Math.max(1, size + (item.imported ? IMPORT_GROWTH_BYTES : 0));
};
