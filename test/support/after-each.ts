import { afterEach, vi } from "vitest";
import { stopEmulators } from "../local/graph/kit.ts";

// Files share a process, so none may leave a clock that stands still to the next.
afterEach(() => void vi.useRealTimers());
afterEach(stopEmulators);
