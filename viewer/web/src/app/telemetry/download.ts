/** Files that a request answers with: fetched with the session's token, then handed to the browser. */
import { requestBlob } from "../../api/client";

export function download(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it after the click; a minute is plenty.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Ask with POST and save the answer; the server's file name wins. */
export async function downloadPost(path: string, body: unknown, name: string): Promise<void> {
  const { blob, name: given } = await requestBlob("POST", path, body);
  download(blob, given ?? name);
}
