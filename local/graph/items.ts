import { badRequest } from "./errors.ts";
import { itemProperties } from "./extended-properties.ts";
import { itemQuery } from "./item-query.ts";
import { itemView } from "./item-view.ts";
import { allowOptions, numberOption, project, selection } from "./odata.ts";
import { folderOf, itemOf } from "./places.ts";
import type { FolderState } from "./state/folder-state.ts";
import { contextUrl, type MailboxCall, paramOf, type Reply, urlWith } from "./world.ts";

const LIST_OPTIONS = ["$select", "$filter", "$top", "$skip", "$orderby", "$count", "$expand"];

const itemsContext = (call: MailboxCall, folder: FolderState) =>
  contextUrl(
    call,
    `admin/exchange/mailboxes/${call.mailbox.id}/folders('${call.mailbox.state.ids.folder(folder.tag)}')/items`,
  );

/** GET .../folders/{folder}/items: `$skip` counts what is there now, so a removal between two pages shifts the rest. */
export const listItems = async (call: MailboxCall): Promise<Reply> => {
  const { request, mailbox, world } = call;
  const { behaviours } = world.settings();
  allowOptions(request.query, LIST_OPTIONS);
  const folder = folderOf(call, paramOf(call, "folder"));
  const extended = itemProperties(request.query.get("$expand"));
  const select = selection(request.query);
  const skip = numberOption(request.query, "$skip") ?? 0;
  const top = Math.min(numberOption(request.query, "$top") ?? behaviours.defaultPageSize, behaviours.maxPageSize);

  const { total, window } = await itemQuery(mailbox.state, folder, {
    filter: request.query.get("$filter"),
    orderBy: request.query.get("$orderby"),
    skip,
    top,
  });
  return {
    status: 200,
    json: {
      "@odata.context": itemsContext(call, folder),
      ...(request.query.get("$count") === "true" && { "@odata.count": total }),
      value: window.map((item) =>
        project(
          itemView(mailbox, item, behaviours, extended?.(item)),
          select && [...select, "singleValueExtendedProperties"],
        ),
      ),
      ...(skip + top < total && { "@odata.nextLink": urlWith(request, { $skip: String(skip + top) }) }),
    },
  };
};

/** GET .../folders/{folder}/items/{item} */
export const getItem = (call: MailboxCall): Reply => {
  const { query } = call.request;
  allowOptions(query, ["$select", "$expand"]);
  const item = itemOf(call, paramOf(call, "folder"), paramOf(call, "item"));
  const folder = folderOf(call, paramOf(call, "folder"));
  const extended = itemProperties(query.get("$expand"))?.(item);
  const select = selection(query);
  const view = itemView(call.mailbox, item, call.world.settings().behaviours, extended);
  return {
    status: 200,
    json: {
      "@odata.context": `${itemsContext(call, folder)}/$entity`,
      ...project(view, select && [...select, "singleValueExtendedProperties"]),
    },
  };
};

/** DELETE .../folders/{folder}/items/{item}?disposalType=. @guess A soft delete shows as `changed` in a delta. */
export const deleteItem = (call: MailboxCall): Reply => {
  const disposal = call.request.query.get("disposalType");
  if (disposal !== "softDelete" && disposal !== "hardDelete") {
    throw badRequest("disposalType must be softDelete or hardDelete.");
  }
  const { home, index } = itemOf(call, paramOf(call, "folder"), paramOf(call, "item"));
  const reason = disposal === "softDelete" ? "changed" : "deleted";
  call.mailbox.state.commit({ op: "item-gone", at: call.world.now(), home, index, reason });
  return { status: 204 };
};
