import type { Names } from "../readable.ts";

const ada = { key: "xj4bnp4pahh6uqkbidpf3lrceo", id: "MBX:ada@contoso", kind: "primary", userId: "ada" };
const adaArchive = { key: "iqhzvwyvl3sjs5qmvpbbmz7sfa", id: "MBX:ada-archive@contoso", kind: "archive", userId: "ada" };
const bo = { key: "aaaabbbbccccddddeeeeffff22", id: "MBX:bo@contoso", kind: "primary", userId: "bo" };

export const people = { ada, adaArchive, bo };

export const NAMES: Names = {
  ADA: ada,
  ADA_ARCHIVE: adaArchive,
  BO: bo,
  "ADA.key": ada.key,
  "ADA_ARCHIVE.key": adaArchive.key,
  "BO.key": bo.key,
};

/** Ids as they look; what began when does not matter here. */
export const RUN = "20261122T010000Z-abc234";
export const SNAPSHOT = "20261121T010000Z-k3vq7a";
export const RESTORE = "20261122T093000Z-xyz567";
