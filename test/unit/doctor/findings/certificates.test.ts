import { describe, expect, it } from "vitest";

import { judgeCertificates } from "../../../../src/doctor/findings/certificates.js";
import type { Certificate } from "../../../../src/kernel/port.js";

const NOW = Date.UTC(2026, 10, 26);
const DAY = 86_400_000;
const DIRECTORY = "/etc/letsencrypt/live";

function certificate(fromDays: number, toDays: number, mode = 0o100600): Certificate {
  return {
    name: "example.org",
    content: {
      hosts: ["example.org", "www.example.org"],
      notBeforeMs: NOW + fromDays * DAY,
      notAfterMs: NOW + toDays * DAY,
    },
    key: { mode },
  };
}

function judge(found: Certificate) {
  return judgeCertificates(DIRECTORY, [found], NOW)[0];
}

describe("judgeCertificates", () => {
  it("is content with none", () => {
    expect(judgeCertificates(DIRECTORY, [], NOW)).toEqual([
      { check: "certificates", level: "ok", text: "none in /etc/letsencrypt/live" },
    ]);
  });

  it("has one line for all that are well", () => {
    const other = { ...certificate(-1, 30), name: "other" };
    const found = judgeCertificates(DIRECTORY, [certificate(-1, 89), other], NOW);
    expect(found).toHaveLength(1);
    expect(found[0]?.text).toContain(
      "example.org for example.org, www.example.org, 89 days; other",
    );
  });

  it.each([
    ["expired", certificate(-90, -1), "expired at 2026-11-25", "certbot renew"],
    ["will expire soon", certificate(-77, 13), "expires in 13 days", "certbot renew"],
    ["is not valid yet", certificate(1, 90), "not valid before 2026-11-27", "clock"],
    ["has an open key", certificate(-1, 89, 0o100644), "readable by everybody", "chmod 0600"],
  ])("is degraded by one that %s, and says what to do", (_what, found, text, hint) => {
    expect(judge(found)).toMatchObject({ check: "certificate example.org", level: "degraded" });
    expect(judge(found)?.text).toContain(text);
    expect(judge(found)?.hint).toContain(hint);
  });

  it("takes fourteen days for enough", () => {
    expect(judge(certificate(-76, 14))?.level).toBe("ok");
  });

  it("is degraded by what cannot be read, certificate or key", () => {
    const whole = certificate(-1, 89);
    const unreadable = { unreadable: "ENOENT" };
    expect(judge({ ...whole, content: unreadable })?.text).toContain("fullchain.pem: ENOENT");
    expect(judge({ ...whole, key: unreadable })?.text).toContain("privkey.pem: ENOENT");
  });
});
