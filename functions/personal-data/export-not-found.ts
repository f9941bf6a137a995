import type { HttpResponseInit } from "@azure/functions";
import { problemResponse } from "../../shared/http/problem.ts";

export const exportNotFound = (): HttpResponseInit =>
  problemResponse(404, "export-not-found", "There is no such export, or it was removed and its history purged.");
