import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type Blobs, UnreadableBlobError } from "../../../shared/storage/blobs.ts";
import { createAnew, createOnce } from "../../../shared/storage/create-once.ts";
import { memoryBlobs } from "./memory-blobs.ts";

const Value = z.object({ winner: z.string() });
const NAME = "job/plan.json";

describe("createOnce", () => {
  test("returns its own object to the first writer, and an equal one to others", async () => {
    const blobs = memoryBlobs();
    const [own, same] = [{ winner: "first" }, { winner: "first" }];

    expect(await createOnce(blobs, NAME, Value, own)).toBe(own);
    expect(await createOnce(blobs, NAME, Value, same)).toEqual(own);
    expect(await createOnce(blobs, NAME, Value, same)).not.toBe(same);
    expect(JSON.parse(String(blobs.blobs.get(NAME)?.body))).toEqual(own);
  });

  test("returns the value of the first writer to every writer", async () => {
    const blobs = memoryBlobs();

    const all = await Promise.all(["a", "b", "c"].map((winner) => createOnce(blobs, NAME, Value, { winner })));
    const late = await createOnce(blobs, NAME, Value, { winner: "d" });

    expect(new Set([...all, late].map(({ winner }) => winner)).size).toBe(1);
    expect(JSON.parse(String(blobs.blobs.get(NAME)?.body))).toMatchObject({ winner: late.winner });
  });

  test("throws when the existing blob cannot be read, and does not change it", async () => {
    const blobs = memoryBlobs();
    await blobs.create(NAME, Buffer.from('{"winner":'));

    await expect(createOnce(blobs, NAME, Value, { winner: "second" })).rejects.toThrow(UnreadableBlobError);
    expect(String(blobs.blobs.get(NAME)?.body)).toBe('{"winner":');
  });

  test("throws when the existing blob has disappeared, and does not return its own value", async () => {
    const blobs: Blobs = { ...memoryBlobs(), create: async () => "exists", readWhole: async () => undefined };

    await expect(createOnce(blobs, NAME, Value, { winner: "second" })).rejects.toThrow("disappeared between two reads");
  });

  test("writes nothing that its schema refuses", async () => {
    const blobs = memoryBlobs();

    await expect(createOnce(blobs, NAME, Value, { winner: 7 } as never)).rejects.toThrow(z.ZodError);
    expect(blobs.writes).toEqual([]);
  });
});

describe("createAnew", () => {
  const etagOf = async (blobs: Blobs): Promise<string | undefined> => (await blobs.readWhole(NAME))?.etag;

  test("keeps what the first writer wrote, and makes it new for each later one", async () => {
    const blobs = memoryBlobs();
    await createAnew(blobs, NAME, Buffer.from("first"));
    const before = await etagOf(blobs);

    await createAnew(blobs, NAME, Buffer.from("second"));

    expect(String((await blobs.readWhole(NAME))?.body)).toBe("first");
    expect(await etagOf(blobs)).not.toBe(before);
  });

  test("creates what was removed meanwhile", async () => {
    const blobs = memoryBlobs();
    await createAnew(blobs, NAME, Buffer.from("first"));
    const removing: Blobs = {
      ...blobs,
      readWhole: async (name) => {
        const found = await blobs.readWhole(name);
        await blobs.remove(name);
        return found;
      },
    };

    await createAnew(removing, NAME, Buffer.from("second"));

    expect(String((await blobs.readWhole(NAME))?.body)).toBe("second");
  });

  test("gives up when it is never the last to write", async () => {
    const blobs: Blobs = { ...memoryBlobs(), create: async () => "exists", replace: async () => false };

    await expect(createAnew(blobs, NAME, Buffer.from("own"))).rejects.toThrow("lost 12 writes in a row");
  });
});
