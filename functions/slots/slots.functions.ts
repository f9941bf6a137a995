import type { Feature } from "../register.ts";
import { shareSlotsActivity } from "./share-slots.activity.ts";
import { shareSlots } from "./slots.contract.ts";

export const slotsFunctions: Feature = (register, { backup }) => {
  register.activityWithHub(shareSlots, shareSlotsActivity(backup));
};
