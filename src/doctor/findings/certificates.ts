// Judges the certificates an ingress will use. Pure.

import type { Certificate } from "../../kernel/port.js";
import type { Finding } from "../port.js";
import { degraded, ok } from "./verdict.js";

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** One line for all that are well, one for each that is not. An expired one costs its site, not the host: degraded. */
export function judgeCertificates(
  directory: string,
  found: readonly Certificate[],
  nowMs: number,
): readonly Finding[] {
  if (found.length === 0) return [ok("certificates", `none in ${directory}`)];
  const judged = found.map((certificate) => judgeCertificate(directory, certificate, nowMs));
  const well = judged.filter(({ level }) => level === "ok").map(({ text }) => text);
  return [
    ...(well.length === 0 ? [] : [ok("certificates", well.join("; "))]),
    ...judged.filter(({ level }) => level !== "ok"),
  ];
}

function judgeCertificate(
  directory: string,
  { name, content, key }: Certificate,
  nowMs: number,
): Finding {
  const check = `certificate ${name}`;
  const renew = `Run certbot renew --cert-name ${name}; certbot certificates tells more.`;
  if ("unreadable" in content)
    return degraded(check, `${directory}/${name}/fullchain.pem: ${content.unreadable}`, renew);
  const { hosts, notBeforeMs, notAfterMs } = content;
  const days = Math.floor((notAfterMs - nowMs) / DAY_MS);
  const text = `${name} for ${hosts.join(", ") || "no name"}`;
  if (notAfterMs < nowMs) return degraded(check, `${text} expired at ${iso(notAfterMs)}`, renew);
  if (notBeforeMs > nowMs)
    return degraded(
      check,
      `${text} is not valid before ${iso(notBeforeMs)}`,
      "Set the clock when it is wrong; else wait, or use another.",
    );
  if (days < SOON_DAYS) return degraded(check, `${text} expires in ${String(days)} days`, renew);
  return judgeKey(directory, name, key) ?? ok(check, `${text}, ${String(days)} days`);
}

function judgeKey(directory: string, name: string, key: Certificate["key"]): Finding | undefined {
  const path = `${directory}/${name}/privkey.pem`;
  if ("unreadable" in key)
    return degraded(`certificate ${name}`, `${path}: ${key.unreadable}`, "Put its key back.");
  if ((key.mode & 0o004) === 0) return undefined;
  return degraded(
    `certificate ${name}`,
    `${path} is readable by everybody`,
    `Run chmod 0600 ${path}; whoever read it has it, so renew with a new key.`,
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
