import { expect, test } from "vitest";
import type { Account, AuditEntry, PasswordPolicy, Permission, Role } from "../src/api/identity";
import { onlyDigits } from "../src/app/access/code-input";
import { isOver, secondsLeft, WARN_S } from "../src/app/access/idle-clock";
import { isPattern, kindsOf, rulesFor, strength, suggestPassword } from "../src/app/access/policy";
import { initials } from "../src/app/access/pieces";
import { isOwnPath } from "../src/app/access/return-path";
import { ticketOf } from "../src/app/access/ticket";
import { matches, statusOf } from "../src/app/admin/account-status";
import { actorOf, filterOf, isFiltered, queryOf } from "../src/app/admin/audit-filter";
import { ACTIONS, keyOf } from "../src/app/admin/audit-names";
import { changesBetween, listChange } from "../src/app/admin/diff";
import { expiryOf } from "../src/app/admin/key-state";
import { changesOf, grouped, has, moved, toggled } from "../src/app/admin/matrix";
import { placeField } from "../src/app/admin/place-picker";
import { slug } from "../src/app/admin/role-form";
import { adminSections } from "../src/app/admin/sections";
import { en } from "../src/app/i18n/en";
import { errorShare, everyHour, latencyText } from "../src/app/lib/hours";
import { isNetwork } from "../src/app/lib/networks";
import { isMarked } from "../src/app/lib/signed-in";

const ASVS: PasswordPolicy = { profile: "asvs", shortest: 12, longest: 256, kinds: 1, age_days: null, history: 0 };
const DENGBAO: PasswordPolicy = { profile: "dengbao", shortest: 12, longest: 256, kinds: 3, age_days: 90, history: 5 };

test("the hints of a password follow the policy that the server has", () => {
  const keys = (policy: PasswordPolicy): string[] => rulesFor(policy, "", []).map((rule) => rule.key);
  expect(keys(ASVS)).toEqual(["length", "pattern", "context", "common"]);
  expect(keys(DENGBAO)).toEqual(["length", "kinds", "pattern", "context", "history", "common"]);
  const met = (policy: PasswordPolicy, password: string, names: string[] = []): string[] => rulesFor(policy, password, names).filter((rule) => rule.met === false).map((rule) => rule.key);
  expect(met(ASVS, "short")).toEqual(["length"]);
  expect(met(ASVS, "li.wei-and-more-words", ["li.wei"])).toEqual(["context"]);
  expect(met(DENGBAO, "all lower case words")).toEqual(["kinds"]);
  expect(met(DENGBAO, "Three kinds 3 here")).toEqual([]);
});

test("runs and repetitions are patterns, words are not", () => {
  for (const bad of ["abcdefghijkl", "987654321098", "aaaaaaaaaaaa", "xyz1xyz1xyz1", "abababababab"]) expect(isPattern(bad), bad).toBe(true);
  for (const good of ["correct horse battery", "雨后的楼顶花园很安静呢", "pump-17-hums-low"]) expect(isPattern(good), good).toBe(false);
});

test("a suggested password fits its policy and is another one each time", () => {
  for (const policy of [ASVS, DENGBAO, { ...DENGBAO, shortest: 40 }]) {
    const made = Array.from({ length: 200 }, () => suggestPassword(policy));
    expect(new Set(made).size).toBe(200);
    for (const one of made) {
      expect(one.length).toBeGreaterThanOrEqual(policy.shortest);
      expect(kindsOf(one)).toBeGreaterThanOrEqual(policy.kinds);
      expect(strength(policy, one)).toBeGreaterThanOrEqual(3);
    }
  }
});

test("a pasted code keeps its digits alone", () => {
  expect(onlyDigits(" 123 456 ")).toBe("123456");
  expect(onlyDigits("code: 0012-34 99")).toBe("001234");
});

test("after a sign-in elsewhere the way leads back to a page of ours only", () => {
  expect(isOwnPath("/b/1/alarms?alarm=2")).toBe(true);
  for (const foreign of ["//evil.example/x", "https://evil.example", "/\\evil.example", "/sign-in", ""]) expect(isOwnPath(foreign), foreign).toBe(false);
});

test("a page that nobody uses signs out, a clock that is set back does not keep it", () => {
  expect(secondsLeft(0, 840_000, 900)).toBe(WARN_S);
  expect(isOver(secondsLeft(0, 900_000, 900))).toBe(true);
  expect(isOver(secondsLeft(0, 899_000, 900))).toBe(false);
  expect(secondsLeft(5_000_000, 0, 900)).toBe(900);
});

test("faces are two letters, or the given name of a Chinese one", () => {
  expect(["Anna Schmidt", "li.wei", "administrator", "王小明", "李伟"].map(initials)).toEqual(["AS", "LW", "AD", "小明", "李伟"]);
});

const NOW = Date.parse("2026-11-22T12:00:00Z");
const account = (change: Partial<Account>): Account => ({
  id: "1", name: "li.wei", display_name: "李伟", roles: [], language: "zh", disabled: false, locked: false, second_factor: true, require_second_factor: false, must_change_password: false,
  valid_until: null, login_hours: null, login_networks: null, last_login_at: null, created_at: "2026-01-01T00:00:00Z", grants: [], ...change,
});

test("an account says all that is wrong with it, and only then that it is active", () => {
  expect(statusOf(account({}), NOW)).toEqual(["active"]);
  expect(statusOf(account({ second_factor: false }), NOW)).toEqual(["active", "unprotected"]);
  expect(statusOf(account({ disabled: true, second_factor: false, valid_until: "2026-11-22T12:00:00Z" }), NOW)).toEqual(["disabled", "expired"]);
  expect(statusOf(account({ locked: true, valid_until: "2026-11-22T12:00:01Z" }), NOW)).toEqual(["locked"]);
});

test("accounts are found by every word of a search, in names, roles and places", () => {
  const one = account({ grants: [{ id: "g", role: "duty_operator", place: { kind: "building", id: "b", name: "Harbour Tower" } }] });
  for (const search of ["", "LI.WEI", "李伟 tower", "duty harbour"]) expect(matches(one, search), search).toBe(true);
  expect(matches(one, "duty station")).toBe(false);
});

const permission = (name: string, scoped = true): Permission => ({ name, title: { zh: name, en: name }, scoped });
const role = (name: string, permissions: string[], change: Partial<Role> = {}): Role => ({ name, title: { zh: name, en: name }, builtin: false, permissions, grants: 0, ...change });

test("every permission is in one group of the matrix, unknown ones with the server's", () => {
  const groups = grouped(["model.read", "alarm.read", "account.write", "brand_new.thing", "alarm_rule.write"].map((name) => permission(name)));
  expect(groups.map((group) => [group.key, group.permissions.map((one) => one.name)])).toEqual([
    ["place", ["model.read"]], ["alarm", ["alarm.read", "alarm_rule.write"]], ["access", ["account.write"]], ["server", ["brand_new.thing"]],
  ]);
});

test("a change of the matrix is a draft until it is undone or saved", () => {
  const lead = role("lead", ["a", "b"]);
  const other = role("other", []);
  let draft = toggled(lead, {}, "c");
  draft = toggled(lead, draft, "a");
  draft = toggled(other, draft, "a");
  expect(has(lead, draft, "c")).toBe(true);
  expect(has(lead, draft, "a")).toBe(false);
  expect(changesOf([lead, other], draft)).toEqual([{ role: lead, added: ["c"], removed: ["a"] }, { role: other, added: ["a"], removed: [] }]);
  draft = toggled(lead, toggled(lead, draft, "a"), "c");
  expect(Object.keys(draft)).toEqual(["other"]);
});

test("arrows move within the matrix and stop at its edges", () => {
  const at = { row: 1, column: 1 };
  expect(moved(at, "ArrowRight", 3, 3)).toEqual({ row: 1, column: 2 });
  expect(moved({ row: 0, column: 0 }, "ArrowUp", 3, 3)).toEqual({ row: 0, column: 0 });
  expect(moved(at, "End", 30, 3, true)).toEqual({ row: 29, column: 2 });
  expect(moved(at, "PageDown", 30, 3)).toEqual({ row: 11, column: 1 });
  expect(moved(at, "x", 3, 3)).toBeNull();
});

test("a title becomes a name for programs", () => {
  expect(slug("Night shift lead")).toBe("night_shift_lead");
  expect(slug("  3rd-floor & roof ")).toBe("3rd_floor_roof");
  expect(slug("夜班组长")).toBe("");
});

test("a grant names one place, or none for everywhere", () => {
  expect(placeField({ kind: "everywhere", building: "b", id: null })).toEqual({});
  expect(placeField({ kind: "storey", building: "b", id: "s" })).toEqual({ storey: "s" });
});

test("administration shows only what one may open", () => {
  const sections = (...held: string[]): string[] => adminSections((one) => held.includes(one)).map((one) => one.key);
  expect(sections()).toEqual([]);
  expect(sections("audit.read", "account.read")).toEqual(["accounts", "roles", "grants", "audit"]);
  expect(sections("key.write")).toEqual(["keys"]);
});

test("networks are taken as the server takes them", () => {
  for (const good of ["10.20.0.0/16", "192.0.2.7", "2001:db8::/32", "::1", "fe80::1:2"]) expect(isNetwork(good), good).toBe(true);
  for (const bad of ["", "10.20.0/16", "300.1.1.1", "10.0.0.0/33", "10.0.0.01", "::1::2", "2001:db8::/129", "host.example", "1.2.3.4/8/9", "12345::"]) expect(isNetwork(bad), bad).toBe(false);
});

test("a chart has every hour, also those in which nothing was called", () => {
  const figures = { calls: 10, errors: 3, failures: 0, refused: 1, latency_mean: 0.01, latency_p95: 0.02 };
  const from = Date.parse("2026-11-22T08:00:00Z");
  expect(everyHour([{ route: null, hour: "2026-11-22T09:00:00+00:00", figures }], from, from + 3 * 3_600_000)).toEqual({
    times: [from / 1000, from / 1000 + 3600, from / 1000 + 7200], ok: [0, 7, 0], errors: [0, 3, 0], latency: [null, 0.02, null],
  });
  expect([null, 0.0042, 0.31, 1.26, 42].map((one) => latencyText(one, "en"))).toEqual(["–", "4.2 ms", "310 ms", "1.3 s", "42 s"]);
  expect([errorShare(0, 0, "en"), errorShare(3, 1000, "en"), errorShare(12, 100, "en")]).toEqual(["0%", "0.3%", "12%"]);
});

test("a key whose end is near is told from one that has ended", () => {
  expect(["2026-11-22T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", null].map((at) => expiryOf({ expires_at: at }, NOW))).toEqual(["over", "soon", "later", "never"]);
});

test("before and after are compared field by field, lists by their members", () => {
  const before = { name: "lead", permissions: ["a", "b"], login_hours: { time_zone: "UTC" } };
  const after = { name: "lead", permissions: ["b", "c"], login_hours: { time_zone: "Asia/Shanghai" }, disabled: false };
  expect(changesBetween(before, after).map((one) => [one.field, one.kind])).toEqual([
    ["permissions", "changed"], ["login_hours.time_zone", "changed"], ["disabled", "added"], ["name", "same"],
  ]);
  expect(listChange(before.permissions, after.permissions)).toEqual({ added: ["c"], removed: ["a"], kept: 1 });
  expect(listChange("a", ["a"])).toBeNull();
  expect(changesBetween(null, { a: null })).toEqual([{ field: "a", kind: "added", before: undefined, after: null }] satisfies ReturnType<typeof changesBetween>);
});

test("the audit filter lives in the address and stays one query for a minute", () => {
  const filter = filterOf(new URLSearchParams("span=day&actor=Li.Wei&action=role.&q=crew"));
  const query = queryOf(filter, NOW + 31_000);
  expect(query).toEqual({ actor: "account:li.wei", action: "role.", object: null, result: null, q: "crew", from: "2026-11-21T12:00:00.000Z", to: null });
  expect(queryOf(filter, NOW + 2_000)).toEqual(query);
  expect(filterOf(new URLSearchParams("span=nonsense")).span).toBe("week");
  expect(isFiltered(filterOf(new URLSearchParams("span=day")))).toBe(false);
  expect(isFiltered(filter)).toBe(true);
  expect(["key:gateway", "cli", "", null].map(actorOf)).toEqual(["key:gateway", "cli", null, null]);
});

test("every action and subject that the filter offers has words", () => {
  const did = en.access.did as Record<string, string>;
  for (const action of Object.values(ACTIONS).flat()) expect(did[keyOf(action)], action).toBeTruthy();
  expect(Object.keys(ACTIONS).toSorted()).toEqual(Object.keys(en.access.about).toSorted());
  const results: AuditEntry["result"][] = ["done", "refused", "failed"];
  expect(Object.keys(en.access.audit.result).toSorted()).toEqual(results.toSorted());
});

test("the ticket of a sign-in at a provider is read from the fragment and from nowhere else", () => {
  expect(ticketOf("#ticket=abc-_1")?.ticket).toBe("abc-_1");
  expect(ticketOf("#ticket=abc")?.second_factor).toEqual(["totp", "recovery"]);
  for (const hash of ["", "#", "#ticket=", "#other=1"]) expect(ticketOf(hash)).toBeNull();
});

test("the server is asked who is signed in only where its mark says that somebody may be", () => {
  expect(isMarked("")).toBe(false);
  expect(isMarked("theme=dark; twin_signed_in=1; other=2")).toBe(true);
  expect(isMarked("twin_signed_in=0")).toBe(false);
  expect(isMarked("not_twin_signed_in=1")).toBe(false);
});
