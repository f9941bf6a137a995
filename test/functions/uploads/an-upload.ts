import { startTranslation } from "../../../functions/id-translation/start-translation.http.ts";
import { startRestore } from "../../../functions/restore/request/start-restore.http.ts";
import { getUpload } from "../../../functions/uploads/get-upload.http.ts";
import { putPiece } from "../../../functions/uploads/put-piece.http.ts";
import { startUpload } from "../../../functions/uploads/start-upload.http.ts";
import { answered } from "../../../shared/http/answered.ts";
import { withinLimit } from "../../../shared/http/body.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { startsOnce } from "../../../shared/http/idempotency.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { memoryAuditLog } from "../../shared/audit/memory-audit-log.ts";
import { aFakeHub, ask } from "../fake-hub.ts";
import { aMailboxWithIds } from "../id-translation/a-translation.ts";

export const ADA = { id: "0a0a0a0a-1111-4222-8333-444444444444", roles: ["Vault.Reader", "Restore.Operator"] };
export const BO = { ...ADA, id: "0b0b0b0b-1111-4222-8333-444444444444" };

type Kit = Awaited<ReturnType<typeof aMailboxWithIds>>;

/** The calls of an upload, as the app answers them. */
export const anApi = async (change: (work: Kit["work"]) => Blobs = (work) => work) => {
  const kit = await aMailboxWithIds();
  const hub = aFakeHub();
  const audit = memoryAuditLog();
  const deps = { ...kit, ...hub, audit, window: 2, work: change(kit.work) };
  const once = startsOnce(deps);
  const call = (handler: SignedInHandler, method: "GET" | "POST" | "PUT") => {
    const within = withinLimit(handler);
    return (asked: { params?: Record<string, string>; body?: unknown; key?: string }, caller = ADA) => {
      const headers: Record<string, string> = asked.key === undefined ? {} : { "idempotency-key": asked.key };
      return ask(
        answered((request, context) => within(request, context, caller), 5_000),
        { method, headers, ...asked },
      );
    };
  };
  const create = call(once(startUpload(deps)), "POST");
  const put = call(putPiece(deps), "PUT");
  const get = call(getUpload(deps), "GET");
  const translate = call(once(startTranslation(deps)), "POST");
  const restore = call(once(startRestore(deps)), "POST");
  return {
    ...kit,
    ...hub,
    audit,
    create,
    created: async (body: object = { of: "ids", from: "restId" }) =>
      String(((await create({ body })).body as { upload: unknown }).upload),
    put: (id: string, piece: number | string, body: string, caller = ADA) =>
      put({ params: { id, piece: String(piece) }, body }, caller),
    get: (id: string, caller = ADA) => get({ params: { id } }, caller),
    translate,
    restore,
  };
};

/** Lines that have the shape of REST ids; those of another piece differ. */
export const someIds = (count: number, piece = 0): string[] =>
  Array.from({ length: count }, (_, n) => Buffer.from(`item ${piece} ${n}`.padEnd(18)).toString("base64url"));
