/** Markdown as people write it on a board: headings, lists, bold, italics, code, links. There is no HTML in it, by construction. */
import type { ReactNode } from "react";

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^()\s]+)\)/;

function inline(text: string, key = ""): ReactNode[] {
  const found = INLINE.exec(text);
  if (!found) return text ? [text] : [];
  const [whole, code, bold, italic, label, address] = found;
  const name = `${key}.${found.index}`;
  const piece = code !== undefined ? <code key={name}>{code}</code> : bold !== undefined ? <b key={name}>{inline(bold, name)}</b>
    : italic !== undefined ? <i key={name}>{inline(italic, name)}</i> : <Anchor key={name} to={address ?? ""}>{label ?? ""}</Anchor>;
  return [text.slice(0, found.index), piece, ...inline(text.slice(found.index + whole.length), `${name}+`)].filter((one) => one !== "");
}

/** Addresses of the web and of this server; anything else (`javascript:` …) stays text. */
function Anchor({ to, children }: { to: string; children: string }): ReactNode {
  if (!/^https?:\/\//i.test(to) && !/^\/(?!\/)/.test(to)) return `[${children}](${to})`;
  return <a href={to} {...(to.startsWith("/") ? {} : { target: "_blank", rel: "noreferrer noopener" })}>{children}</a>;
}

type Block = { kind: "h"; level: number; text: string } | { kind: "p"; lines: string[] } | { kind: "ul" | "ol"; items: string[] };

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let apart = true; // an empty line or a heading ends what was open
  for (const line of text.split(/\r?\n/)) {
    const open = apart ? undefined : blocks.at(-1);
    const heading = /^(#{1,4})\s+(.*)$/.exec(line);
    const item = /^\s*(?:([-*+])|\d{1,4}[.)])\s+(.*)$/.exec(line);
    if (heading) {
      blocks.push({ kind: "h", level: heading[1]?.length ?? 1, text: heading[2] ?? "" });
      apart = true;
    } else if (item) {
      const kind = item[1] ? "ul" : "ol";
      if (open?.kind === kind) open.items.push(item[2] ?? "");
      else blocks.push({ kind, items: [item[2] ?? ""] });
      apart = false;
    } else if (!line.trim()) apart = true;
    else {
      if (open?.kind === "p") open.lines.push(line);
      else blocks.push({ kind: "p", lines: [line] });
      apart = false;
    }
  }
  return blocks;
}

export function Markdown({ text }: { text: string }): ReactNode {
  return (
    <div className="db-text">
      {blocksOf(text).map((block, i) => {
        if (block.kind === "h") return block.level < 2 ? <h3 key={i}>{inline(block.text)}</h3> : <h4 key={i}>{inline(block.text)}</h4>;
        if (block.kind === "p") return <p key={i}>{block.lines.flatMap((line, n) => [...(n > 0 ? [<br key={n} />] : []), ...inline(line, String(n))])}</p>;
        const items = block.items.map((item, n) => <li key={n}>{inline(item)}</li>);
        return block.kind === "ul" ? <ul key={i}>{items}</ul> : <ol key={i}>{items}</ol>;
      })}
    </div>
  );
}
