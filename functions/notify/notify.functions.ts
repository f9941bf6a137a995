import type { Feature } from "../register.ts";
import { notifyActivity } from "./notify.activity.ts";
import { notify } from "./notify.contract.ts";

export const notifyFunctions: Feature = (register, { notifier }) => {
  register.activity(notify, notifyActivity({ notifier }));
};
