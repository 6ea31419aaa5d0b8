// The service manager that has started the daemon, if one has: the socket it passes (sd_listen_fds(3)), and what it is
// told (sd_notify(3), sd_watchdog_enabled(3)). Its variables are taken out of the environment: they are for nobody else.

import { spawn } from "node:child_process";

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_PASSED_FD = 3;
const VARIABLES = [
  ...["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"],
  ...["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"],
] as const;
/** Beats in the time after which the watchdog bites. */
const BEATS = 3;

type Environment = Record<string, string | undefined>;

export interface ServiceManager {
  /** Descriptor of the listening socket it has passed. */
  readonly socketFd: number | undefined;
  /** Tells that requests are answered, and from then on that the event loop turns. */
  ready(): void;
  stopping(): void;
}

/** What the environment of process `pid` says of its service manager. */
export interface ManagerFacts {
  readonly socketFd: number | undefined;
  readonly notifySocket: string | undefined;
  readonly watchdogMs: number | undefined;
}

/**
 * @param voice absolute path of henge-helper: Node.js has no datagram sockets for local names, so a child sends them
 * @param env the process's own; the variables read are deleted from it
 */
export function meetServiceManager(voice: string, env: Environment, pid: number): ServiceManager {
  const { socketFd, notifySocket, watchdogMs } = readManagerFacts(env, pid);
  for (const name of VARIABLES) Reflect.deleteProperty(env, name);
  const tell = notifySocket === undefined ? () => undefined : openVoice(voice, notifySocket);
  let beat: NodeJS.Timeout | undefined;
  return {
    socketFd,
    ready() {
      tell("READY=1");
      if (watchdogMs === undefined) return;
      beat = setInterval(() => tell("WATCHDOG=1"), watchdogMs / BEATS).unref();
    },
    stopping() {
      tell("STOPPING=1");
      clearInterval(beat);
    },
  };
}

/** Variables that are for another process count for nothing: they were inherited. */
export function readManagerFacts(env: Environment, pid: number): ManagerFacts {
  const own = String(pid);
  const passed = env["LISTEN_PID"] === own && Number(env["LISTEN_FDS"]) === 1;
  const watched = env["WATCHDOG_PID"] === undefined || env["WATCHDOG_PID"] === own;
  const watchdogMs = watched ? Number(env["WATCHDOG_USEC"]) / 1_000 : NaN;
  return {
    socketFd: passed ? FIRST_PASSED_FD : undefined,
    notifySocket: env["NOTIFY_SOCKET"] === "" ? undefined : env["NOTIFY_SOCKET"],
    watchdogMs: watchdogMs > 0 ? watchdogMs : undefined,
  };
}

/** Without its voice the daemon is started anew by the watchdog: nothing else is to be done about it. */
function openVoice(voice: string, notifySocket: string): (message: string) => void {
  const child = spawn(voice, ["--manager"], {
    env: { NOTIFY_SOCKET: notifySocket },
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  return (message) => {
    child.stdin.write(`${message}\n`);
  };
}
