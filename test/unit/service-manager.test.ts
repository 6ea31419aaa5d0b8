import { expect, it } from "vitest";

import { meetServiceManager, readManagerFacts } from "../../src/service-manager.js";

const OWN = 42;

it("takes the one socket that was passed to this very process", () => {
  expect(readManagerFacts({ LISTEN_PID: "42", LISTEN_FDS: "1" }, OWN).socketFd).toBe(3);
  for (const env of [
    {},
    { LISTEN_FDS: "1" },
    { LISTEN_PID: "41", LISTEN_FDS: "1" },
    { LISTEN_PID: "42", LISTEN_FDS: "0" },
    { LISTEN_PID: "42", LISTEN_FDS: "2" },
    { LISTEN_PID: "42", LISTEN_FDS: "x" },
  ])
    expect(readManagerFacts(env, OWN).socketFd).toBeUndefined();
});

it("is watched when this very process is", () => {
  expect(readManagerFacts({ WATCHDOG_USEC: "30000000" }, OWN).watchdogMs).toBe(30_000);
  expect(readManagerFacts({ WATCHDOG_USEC: "5000", WATCHDOG_PID: "42" }, OWN).watchdogMs).toBe(5);
  for (const env of [
    {},
    { WATCHDOG_USEC: "" },
    { WATCHDOG_USEC: "0" },
    { WATCHDOG_USEC: "x" },
    { WATCHDOG_USEC: "5000", WATCHDOG_PID: "41" },
  ])
    expect(readManagerFacts(env, OWN).watchdogMs).toBeUndefined();
});

it("leaves none of the service manager's words to those the daemon starts", () => {
  const env = {
    ...{ LISTEN_PID: "42", LISTEN_FDS: "1", LISTEN_FDNAMES: "henged.socket" },
    ...{ WATCHDOG_USEC: "1", WATCHDOG_PID: "41", PATH: "/bin" },
  };
  expect(meetServiceManager("/none", env, OWN).socketFd).toBe(3);
  expect(env).toEqual({ PATH: "/bin" });
});
