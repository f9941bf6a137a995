import type { Blobs } from "../../shared/storage/blobs.ts";
import type { Notice, NoticeOutcome } from "./notify.contract.ts";
import type { PostNotice } from "./webhook.ts";

/** Notifies people, at most once for each id. */
export type Notifier = (notice: Notice) => Promise<NoticeOutcome>;

/**
 * Notes that a notice is about to be sent, once for each id, and then posts it. Cut off in between, it is never sent:
 * of "at most once" and "at least once" this is the first, as nobody reads a channel that repeats itself.
 *
 * @param post `undefined`: there is no webhook, and nothing is noted.
 */
export const notifier =
  ({ state, post }: { readonly state: Blobs; readonly post: PostNotice | undefined }): Notifier =>
  async (notice) => {
    if (post === undefined) return "off";
    const intent = Buffer.from(JSON.stringify({ v: 1, at: new Date().toISOString(), title: notice.title }));
    if ((await state.create(`notices/${notice.id}.json`, intent)) === "exists") return "repeated";
    return post(notice);
  };
