#!/usr/bin/env node
// henged: the composition root. The only file that wires ports to the core; everything it owns lies under one root.

import "./memory.js";

import { statfs } from "node:fs/promises";
import { join } from "node:path";

import { serve } from "./api/index.js";
import { makeDaemonProgram } from "./command-line.js";
import type { DaemonOptions } from "./command-line.js";
import { runCommand } from "./command.js";
import type { Run } from "./command.js";
import { createDoctor } from "./doctor/doctor.js";
import type { DoctorOptions } from "./doctor/doctor.js";
import type { Doctor } from "./doctor/port.js";
import { HengeError } from "./errors.js";
import { holdStillWith } from "./kernel/hold-still.js";
import { createHost } from "./kernel/host.js";
import { readMachineId } from "./kernel/machine.js";
import { openCgroups } from "./kernel/cgroup.js";
import { placeMemoryWith } from "./kernel/place-memory.js";
import { readSettings } from "./kernel/settings-file.js";
import type { Logger } from "./log.js";
import { createLogger } from "./log.js";
import { createNetwork } from "./network/network.js";
import { watchWith } from "./network/watch.js";
import { packageDirectory, readPackageVersion } from "./package.js";
import { systemClock } from "./reconcile/clock.js";
import type { Ports } from "./reconcile/ports.js";
import { Events } from "./reconcile/events.js";
import { Reconciler } from "./reconcile/reconciler.js";
import type { RootPaths } from "./root.js";
import { rootPaths } from "./root.js";
import { readArchiveDigest } from "./storage/archive.js";
import { readArchiveFiles } from "./storage/archive-files.js";
import { createBtrfsDriver } from "./storage/btrfs.js";
import type { Driver } from "./storage/driver.js";
import type { Storage } from "./storage/port.js";
import { openStorage } from "./storage/storage.js";
import { createZfsDriver } from "./storage/zfs.js";
import { identifyDataset } from "./storage/zfs-source.js";
import { openAudit } from "./store/audit.js";
import { openEventLog } from "./store/event-log.js";
import { openHaltMark } from "./store/halt-mark.js";
import { takeLock } from "./store/lock.js";
import { readLogs } from "./store/logs.js";
import { openMonoliths } from "./store/monoliths.js";
import { openOperations } from "./store/operations.js";
import { makeOwnDirectory } from "./store/own-file.js";
import { meetServiceManager } from "./service-manager.js";
import { SURFACE } from "./surface.js";
import { createWardenPort } from "./warden/client.js";
import { createSpawner, runBySpawner } from "./warden/spawner.js";
import type { Spawner } from "./warden/spawner.js";
import { probeBySpawner } from "./warden/spawner-client.js";

const WARDEN = join(packageDirectory, "dist", "henge-warden");
const HELPER = join(packageDirectory, "dist", "henge-helper");
const GIB = 1024 ** 3;
// Long enough for a program that cannot start to say so and end.
const SETTLE_MS = 1_000;
const POOL_DEFAULT_BYTES = 20 * GIB;

await main();

async function main(): Promise<void> {
  const program = makeDaemonProgram(process.env["HENGE_ROOT"]);
  // Help and version end with 0, a wrong command line as SURFACE has it.
  program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : SURFACE.USAGE.exit));
  program.parse();
  const log = createLogger();
  try {
    await run(program.opts<DaemonOptions>(), log);
  } catch (error) {
    log.fatal({ err: error }, error instanceof Error ? error.message : String(error));
    process.exit(SURFACE[error instanceof HengeError ? error.code : "INTERNAL"].exit);
  }
}

async function run(options: DaemonOptions, log: Logger): Promise<void> {
  const manager = meetServiceManager(HELPER, process.env, process.pid);
  if (process.getuid?.() !== 0)
    throw new HengeError("PEER_DENIED", "cannot start: henged must run as root");
  process.umask(0o077);
  const paths = rootPaths(options.root);
  for (const directory of [paths.directory, paths.state, paths.run, logsOf(paths)])
    if (directory !== undefined) await makeOwnDirectory(directory);
  const lock = await takeLock(join(paths.run, "lock"));
  lock.onLost(() => {
    log.fatal("the lock on the root is lost: another daemon may take it");
    process.exit(70);
  });
  const ports = await openPorts(paths, options, log);
  const reconciler = new Reconciler(ports);
  const begunMs = performance.now();
  await reconciler.begin();
  const adoptedMs = Math.round(performance.now() - begunMs);
  const socket = manager.socketFd === undefined ? { path: paths.socket } : { fd: manager.socketFd };
  const server = await serve({ control: reconciler, socket, log });
  manager.ready();
  log.info({ socket: paths.socket, cgroup: ports.cgroups.facts, adoptedMs }, "ready");
  const signal = await nextSignal();
  log.info({ signal }, "ending; the cells run on");
  manager.stopping();
  await server.close();
  reconciler.end();
  process.exit(0);
}

async function openPorts(paths: RootPaths, options: DaemonOptions, log: Logger): Promise<Ports> {
  const { spawner, run } = await openSpawner(paths);
  const cgroups = await openCgroups(
    { subtreeName: nameWith("henge", paths.key), delegated: options.delegated },
    placeMemoryWith(run, HELPER),
  );
  const driver = await openDriver(paths, options, run);
  const storage = await openStorage(driver, join(paths.state, "volumes.json"));
  const host = createHost({
    cgroups: cgroups.facts,
    spawnerSocket: options.spawner,
    helper: HELPER,
    run,
    runProbe: options.spawner === undefined ? run : probeBySpawner(options.spawner),
  });
  const bootId = await host.bootId();
  const warn = (text: string, error: unknown): void => {
    log.warn({ err: error }, text);
  };
  return {
    cgroups,
    holdStill: holdStillWith(HELPER),
    host,
    doctor: openDoctor(paths, options, { facts: host, cgroups: cgroups.facts, storage }),
    ...storage,
    network: createNetwork({
      run,
      rootKey: paths.key,
      watch: watchWith(HELPER),
      warn,
    }),
    wardens: createWardenPort({
      binary: WARDEN,
      spawnerSocket: options.spawner,
      spawner,
      runDirectory: paths.run,
      stateDirectory: paths.state,
      bootId,
    }),
    ...(await openRecords(paths)),
    haltMark: openHaltMark(join(paths.run, "halted"), bootId),
    events: await openEvents(paths, warn),
    settleMs: SETTLE_MS,
    clock: systemClock,
    random: Math.random,
    readLogs,
    readSettings,
    readArchiveDigest,
    readArchiveFiles,
    warn,
    hidden: [paths.state, paths.run],
    rootKey: paths.key,
    version: readPackageVersion(),
  };
}

function openDoctor(
  paths: RootPaths,
  { certificates, zfs }: DaemonOptions,
  {
    facts,
    cgroups,
    storage: { pool },
  }: Pick<DoctorOptions, "facts" | "cgroups"> & { readonly storage: Storage },
): Doctor {
  return createDoctor({
    facts,
    cgroups,
    directories: { state: paths.state, run: paths.run, logs: logsOf(paths) },
    certificates,
    pool: {
      driver: zfs === undefined ? "btrfs" : "zfs",
      facts: () => pool.facts(),
      health: () => pool.health(),
    },
  });
}

async function openSpawner(paths: RootPaths): Promise<{ spawner: Spawner; run: Run }> {
  const spawner = createSpawner(HELPER, join(paths.run, "spawner.sock"));
  await spawner.socket();
  return { spawner, run: runBySpawner(spawner, runCommand) };
}

async function openRecords({
  state,
}: RootPaths): Promise<Pick<Ports, "store" | "operations" | "audit">> {
  return {
    store: await openMonoliths(join(state, "monoliths")),
    operations: await openOperations(join(state, "operations")),
    audit: await openAudit(join(state, "audit.log")),
  };
}

async function openEvents(paths: RootPaths, warn: Ports["warn"]): Promise<Events> {
  const log = await openEventLog({
    events: join(paths.state, "events.log"),
    told: join(paths.state, "told.json"),
  });
  if (log.doubt !== undefined) warn("some events may be told again", new Error(log.doubt));
  return new Events(log, () => systemClock.now());
}

async function openDriver(paths: RootPaths, options: DaemonOptions, run: Run): Promise<Driver> {
  if (options.zfs === undefined)
    return createBtrfsDriver({
      poolFile: paths.poolFile,
      mountPoint: paths.poolMount,
      sizeBytes: await poolSize(options.poolSize, paths.state),
      run,
    });
  return createZfsDriver({
    dataset: options.zfs,
    record: join(paths.state, "zfs.guid"),
    owner: `${await readMachineId()}:${paths.state}`,
    workshop: join(paths.run, "images"),
    identify: (dataset, readOnly) => identifyDataset(run, HELPER, dataset, readOnly),
    run,
  });
}

/** Where wardens write what units say. */
function logsOf({ state }: RootPaths): string {
  return join(state, "logs");
}

function nameWith(name: string, key: string): string {
  return key === "" ? name : `${name}-${key}`;
}

/** The default leaves a fifth of the disk alone: a pool whose file cannot grow any more loses writes. */
async function poolSize(text: string | undefined, directory: string): Promise<number> {
  if (text !== undefined) {
    const gib = Number(text);
    if (Number.isFinite(gib) && gib >= 1 && gib <= 65_536) return Math.floor(gib) * GIB;
    throw new HengeError(
      "USAGE",
      `cannot use the pool size ${text}: it is a number of GiB, 1..65536`,
    );
  }
  const { bavail, bsize } = await statfs(directory);
  return Math.min(POOL_DEFAULT_BYTES, Math.floor((bavail * bsize * 4) / 5 / GIB) * GIB);
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
}
