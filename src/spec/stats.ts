// What a cell uses now, as the kernel counts it: its own processes and those of the cells nested in it.

/** What the kernel does not count on this host, or a controller that is missing would, is absent. */
export interface CellStats {
  /** memory.current, with the page cache that is charged to it. */
  readonly memoryBytes?: number;
  /** memory.max; absent too where there is no bound. */
  readonly memoryMaxBytes?: number;
  /** cpu.stat, since the cell was allocated. */
  readonly cpuUsageUs?: number;
  /** pids.current: processes and threads. */
  readonly pids?: number;
  /** memory.events, since the cell was allocated. */
  readonly oomKills?: number;
  /** io.stat, over all devices, since the cell was allocated. */
  readonly ioReadBytes?: number;
  readonly ioWrittenBytes?: number;
  /** Resource → percent of the last ten seconds in which at least one process waited for it. */
  readonly pressureAvg10?: Readonly<Partial<Record<"cpu" | "memory" | "io", number>>>;
}
