import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import type { ListedItem } from "../../local/graph/admin.ts";
import { temporaryDir } from "../local/storage/temporary-dir.ts";

