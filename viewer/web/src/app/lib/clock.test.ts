import { beforeEach, expect, test, vi } from "vitest";
import { clockOffset, heardServerTime, serverNow } from "./clock";

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_000_000);
  heardServerTime(0, 1e9); // whatever was known before is a clock that jumped
});

test("a machine whose clock is an hour slow asks by the server's", () => {
  heardServerTime(1_000_000 + 3_600_000);
  expect(serverNow()).toBe(4_600_000);
  vi.advanceTimersByTime(500);
  expect(serverNow()).toBe(4_600_500);
});

test("of slow and quick messages the quick one tells the time, and a clock that is set is followed at once", () => {
  heardServerTime(1_000_000 - 900);
  heardServerTime(1_000_000 - 20);
  heardServerTime(1_000_000 - 900);
  expect(clockOffset()).toBeGreaterThan(-70);
  heardServerTime(1_000_000 + 60_000);
  expect(clockOffset()).toBe(60_000);
});
