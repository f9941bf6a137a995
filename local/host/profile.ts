/** How long the real host takes for what costs it time, in milliseconds. 0: at once. */
export interface Delays {
  /** What a dead host had taken from a queue comes back after this. Source: ControlQueueVisibilityTimeout. */
  readonly invisible: number;
  /** The longest pause between two looks at an empty queue. Source: MaxQueuePollingInterval. */
  readonly poll: number;
  /** The delay of a timer's message is cut to whole ones of these (observed). */
  readonly timerGrain: number;
  /** A streamed request that cannot be answered waits for so long. Source: DefaultHttpProxyService.cs. */
  readonly silence: number;
  /** Deaths of app processes within this time are counted together. Source: WorkerConstants.cs. */
  readonly deathWindow: number;
  /** So soon after a death the host does not know yet that there is no process, and fails what it invokes (chosen). */
  readonly unnoticed: number;
  /** From the end of a host that had too many deaths to its next start (observed). */
  readonly recycle: number;
}

export interface Profile {
  /**
   * Whether the death of an app process counts: it fails the turn that it ran, uses up an attempt of its activities,
   * requests do not wait for its successor, and the third ends the host.
   */
  readonly deathsCount: boolean;
  readonly delays: Delays;
}

const AZURE: Delays = {
  invisible: 300_000,
  poll: 30_000,
  timerGrain: 1_000,
  silence: 240_000,
  deathWindow: 1_800_000,
  unnoticed: 100,
  recycle: 30_000,
};

const NONE: Delays = { invisible: 0, poll: 0, timerGrain: 0, silence: 0, deathWindow: 0, unnoticed: 0, recycle: 0 };

export const PROFILES = ["quick", "azure"] as const;
export type ProfileName = (typeof PROFILES)[number];

/** By how much the delays of the profile `azure` are shortened unless somebody says otherwise. */
export const DEFAULT_SCALE = 100;

/**
 * The real host's behaviour with its delays divided by `scale` on the wall, whatever the factor of the host's clock,
 * since what they end takes its time on the wall. What timers are cut to is a matter of the clock.
 */
const azure = (scale: number, clockFactor: number): Profile => {
  const onTheWall = (ms: number): number => (ms / scale) * clockFactor;
  return {
    deathsCount: true,
    delays: {
      invisible: onTheWall(AZURE.invisible),
      poll: onTheWall(AZURE.poll),
      timerGrain: AZURE.timerGrain / scale,
      silence: onTheWall(AZURE.silence),
      deathWindow: onTheWall(AZURE.deathWindow),
      unnoticed: onTheWall(AZURE.unnoticed),
      recycle: onTheWall(AZURE.recycle),
    },
  };
};

/** What costs no time is as in Azure; what costs time takes none, and deaths are forgiven. */
export const QUICK: Profile = { deathsCount: false, delays: NONE };

/** How a host ends whose app died too often: the platform starts another one after `recycle`. */
export const WORN_EXIT_CODE = 3;

export const profileOf = (name: ProfileName, scale = DEFAULT_SCALE, clockFactor = 1): Profile =>
  name === "quick" ? QUICK : azure(scale, clockFactor);
