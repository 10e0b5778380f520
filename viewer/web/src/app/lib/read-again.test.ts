import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { readAgain } from "./read-again";

test("a change that comes while the first read is under way is in the list all the same", async () => {
  const client = new QueryClient();
  let stored = "before";
  const answers: (() => void)[] = [];
  const read = (): Promise<string> => {
    const seen = stored; // what the server saw when it was asked
    return new Promise((resolve) => answers.push(() => resolve(seen)));
  };
  const shown = new QueryObserver(client, { queryKey: ["roles"], queryFn: read, retry: false });
  const stop = shown.subscribe(() => undefined);
  stored = "after";
  const done = readAgain(client, ["roles"]);
  await expect.poll(() => answers.length).toBe(2);
  for (const answer of answers) answer();
  await done;
  expect(shown.getCurrentResult().data).toBe("after");
  stop();
});
