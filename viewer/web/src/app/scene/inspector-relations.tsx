/** What the element belongs to, consists of, touches and leads to, and its documents. */
import { ChevronRight, ExternalLink, FileText } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ElementDetail } from "../../api/types";
import { useClassName } from "../lib/names";
import { clicked, grouped } from "../workspace/selection";
import { useSceneState, usePatch, useShowElement } from "./state";

type Link = ElementDetail["relations"][number];

const KNOWN = ["part", "whole", "fills", "voids", "connects", "path", "feeds", "covers", "controls", "bounds", "assigned_to", "references"] as const;
const FIRST = 12; // of a kind, until one asks for all

export function Relations({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const groups = useMemo(() => [...grouped([...(element.parent ? [element.parent] : []), ...element.children, ...element.relations], (one) => `${one.kind}:${one.direction}`)], [element]);
  return (
    <>
      {groups.map(([kind, links]) => {
        const key = keyOf(links[0]);
        return <LinkGroup key={kind} name={key ? t(key) : kind} links={links} count={links[0]?.kind === "part" ? element.children_count : links.length} />;
      })}
      <Documents element={element} />
    </>
  );
}

type Known = (typeof KNOWN)[number];

/** How the words of a kind are called in the texts; a kind that this page does not know is told as it is. */
function keyOf(link: Link | undefined): `several.kinds.${Known}.${"from" | "to"}` | null {
  const known = KNOWN.find((one): one is Known => one === link?.kind);
  return known ? `several.kinds.${known}.${link?.direction === "to" ? "to" : "from"}` : null;
}

function LinkGroup({ name, links, count }: { name: string; links: readonly Link[]; count: number }): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const { selected, selection, adding } = useSceneState();
  const patch = usePatch();
  const showElement = useShowElement();
  const [all, setAll] = useState(false);
  return (
    <details className="group" open={links.length <= FIRST}>
      <summary><ChevronRight size={13} aria-hidden /><span>{name}</span><small>{count}</small></summary>
      <ul className="several-list">
        {(all ? links : links.slice(0, FIRST)).map((one) => (
          <li key={`${one.kind}${one.id}`}>
            <button type="button" onClick={(event) => {
              const several = clicked({ selected, selection, adding }, [], one.global_id, { ctrlKey: event.ctrlKey || event.shiftKey, metaKey: event.metaKey, shiftKey: false });
              if (several) patch({ selection: several });
              else showElement(one.global_id);
            }}>
              <b>{one.name ?? one.global_id}</b>
              <small>{className(one.ifc_class)}</small>
            </button>
          </li>
        ))}
      </ul>
      {links.length > FIRST && !all ? <button type="button" className="link-button" onClick={() => setAll(true)}>{t("several.showAll", { count: links.length })}</button> : null}
    </details>
  );
}

interface Document {
  name: string;
  address: string | null;
  told: string;
}

/** IfcDocumentReference and IfcDocumentInformation as the file has them: any of their attributes may be missing. */
export function documentsOf(list: readonly unknown[]): Document[] {
  return list.flatMap((value): Document[] => {
    if (typeof value === "string") return [{ name: value, address: web(value), told: "" }];
    if (value === null || typeof value !== "object") return [];
    const said = (...keys: string[]): string | null => keys.map((key) => (value as Record<string, unknown>)[key]).find((one): one is string => typeof one === "string" && one !== "") ?? null;
    const place = said("location", "Location", "url");
    const name = said("name", "Name", "identification", "Identification") ?? place;
    return name === null ? [] : [{ name, address: web(place), told: [said("description", "Description"), said("identification", "Identification"), web(place) ? null : place].filter((one) => one !== null && one !== name).join(" · ") }];
  });
}

/** Only what a browser may open: a model's `javascript:` is a text. */
function web(text: string | null): string | null {
  return text !== null && /^https?:\/\//i.test(text) ? text : null;
}

function Documents({ element }: { element: ElementDetail }): ReactNode {
  const { t } = useTranslation();
  const documents = documentsOf(element.documents);
  if (documents.length === 0) return null;
  return (
    <details className="group" open>
      <summary><ChevronRight size={13} aria-hidden /><span>{t("several.documents")}</span><small>{documents.length}</small></summary>
      <ul className="several-list">
        {documents.map((one, i) => (
          <li key={`${one.name}${i}`} className="document-row">
            <FileText size={14} aria-hidden />
            <span><b>{one.address ? <a href={one.address} target="_blank" rel="noreferrer noopener">{one.name} <ExternalLink size={11} aria-hidden /></a> : one.name}</b>{one.told ? <small>{one.told}</small> : null}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
