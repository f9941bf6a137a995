import { afterEach } from "vitest";
import { stopEmulators } from "../local/graph/kit.ts";

afterEach(stopEmulators);
