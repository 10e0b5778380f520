/** The shapes of accounts, roles, grants, keys and the audit trail. */

export interface PlaceRef {
  kind: PlaceKind;
  id: string;
  name: string;
  /** Of a storey or system, where the server says it. */
  building?: string | null;
}
export type PlaceKind = "site" | "building" | "storey" | "system";

/** A role at a place; no place is everywhere. */
export interface HeldGrant {
  id: string;
  role: string;
  place: PlaceRef | null;
}

export interface Me {
  name: string;
  display_name: string | null;
  roles: string[];
  permissions: string[];
  grants: HeldGrant[];
  language: string | null;
  csrf_token: string | null;
  must_change_password: boolean;
  second_factor: boolean;
  /** What has to be done before anything else. */
  restriction: "password.must_change" | "second_factor.must_enrol" | null;
  expires_at: string | null;
  idle_seconds: number | null;
}

export interface SecondFactorAsked {
  second_factor: ("totp" | "recovery")[];
  ticket: string;
  expires_at: string;
}

export interface Provider {
  id: string;
  title: string;
}

export interface LoginSession {
  id: string;
  address: string | null;
  /** In plain words: "Chrome 126, Windows". */
  user_agent: string | null;
  created_at: string;
  seen_at: string;
  expires_at: string;
  current: boolean;
}

export interface Enrolment {
  secret: string;
  uri: string;
  qr_svg: string;
}

export interface PasswordPolicy {
  profile: "asvs" | "dengbao";
  shortest: number;
  longest: number;
  kinds: number;
  age_days: number | null;
  history: number;
}

export interface Account {
  id: string;
  name: string;
  display_name: string | null;
  roles: string[];
  language: string | null;
  disabled: boolean;
  locked: boolean;
  second_factor: boolean;
  require_second_factor: boolean;
  must_change_password: boolean;
  valid_until: string | null;
  login_hours: LoginHours | null;
  login_networks: string[] | null;
  last_login_at: string | null;
  created_at: string;
  grants: HeldGrant[];
}

/** When an account may sign in: days 1 (Monday) … 7, times of day in the zone. */
export interface LoginHours {
  time_zone: string;
  windows: LoginWindow[];
}
export interface LoginWindow {
  days: number[];
  start: string;
  end: string;
}

/** What something is called; a custom role has one title for both. */
export interface Title {
  zh: string;
  en: string;
}

export interface Permission {
  name: string;
  title: Title;
  scoped: boolean;
}

export interface Role {
  name: string;
  title: Title;
  builtin: boolean;
  permissions: string[];
  grants: number;
}

export interface Grant {
  id: string;
  account_id: string | null;
  account: string | null;
  key_id: string | null;
  key: string | null;
  role: string;
  place: PlaceRef | null;
  granted_by: string;
  granted_at: string;
}

export interface ApiKey {
  id: string;
  name: string;
  roles: string[];
  scopes: string[] | null;
  networks: string[];
  rate: number | null;
  concurrency: number | null;
  created_by: string | null;
  created_at: string;
  expires_at: string | null;
  used_at: string | null;
  used_from: string | null;
  revoked_at: string | null;
  rotating_until: string | null;
}

/** Calls of a key; latencies in seconds; `refused` were over a limit. */
export interface Figures {
  calls: number;
  errors: number;
  failures: number;
  refused: number;
  latency_mean: number | null;
  latency_p95: number | null;
}

/** A key, what it may do where, and what it did lately. */
export interface CatalogueEntry {
  key: ApiKey;
  reads: string[];
  writes: string[];
  grants: HeldGrant[];
  usage: Figures;
}

export interface RouteUsage {
  route: string | null;
  hour: string | null;
  figures: Figures;
}

export interface KeyUsage {
  from: string;
  to: string;
  total: Figures;
  routes: RouteUsage[];
  hours: RouteUsage[];
}

export type AuditResult = "done" | "refused" | "failed";

export interface AuditEntry {
  id: number;
  seq: number | null;
  at: string;
  actor: string;
  account_id: string | null;
  credential: string | null;
  address: string | null;
  request_id: string | null;
  action: string;
  object: string | null;
  result: AuditResult;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  hash: string | null;
}

/** How the chain stands. `intact` compares with the last anchor only; a verification looks at everything. */
export interface ChainState {
  seq: number;
  hash: string;
  unsealed: number;
  pruned: number;
  anchored: number | null;
  anchored_at: string | null;
  intact: boolean;
  verified: (Verification & { at: string }) | null;
}

export interface Verification {
  ok: boolean;
  entries: number;
  first: number | null;
  last: number | null;
  anchors: number;
  anchored: number;
  seconds: number;
  findings: { trouble: string; seq: number | null; detail: string; line: number | null }[];
}
