/** What one can do with what a query finds, and with what was saved. */
import { App } from "antd";
import { useTranslation } from "react-i18next";
import type { Scene3D } from "../../engine";
import { get, url } from "../../api/client";
import { useBuilding } from "../context";
import { useErrorText } from "../parts";
import type { Colouring } from "../scene/colour";
import { paintOf, type Rule } from "../scene/rules";
import { useScene, useSceneScope, type SceneState } from "../scene/state";
import { decodeView, encodeView } from "../tools/view-link";
import { searchIds, type Content, type Saved } from "./queries";

export type Others = "show" | "ghost" | "hide";

interface Actions {
  /** Only what a query finds; the rest as ghosts. */
  isolate: (query: string, title: string) => Promise<void>;
  hide: (query: string) => Promise<void>;
  /** Seen through, and seen. */
  ghost: (query: string) => Promise<void>;
  /** The other way round: what was hidden is seen again. */
  unhide: (query: string) => Promise<void>;
  fly: (query: string) => Promise<void>;
  paint: (rules: readonly Rule[], title: string, others: Others) => Promise<void>;
  /** A table of all that a query finds. */
  table: (query: string) => void;
  open: (saved: Saved, known: readonly Colouring[]) => Promise<void>;
}

export function useActions(): Actions {
  const { building } = useBuilding();
  const { store, tools } = useSceneScope();
  const scene = useScene();
  const { message } = App.useApp();
  const text = useErrorText();
  const { t } = useTranslation();
  const safely = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      void message.error(text(error), 6);
    }
  };
  const found = async (query: string): Promise<string[]> => {
    const { global_ids: ids } = await searchIds(building.id, query);
    if (ids.length === 0) void message.info(t("workspace.nothing"));
    return ids;
  };
  const fly = async (query: string): Promise<void> => flyTo(scene, await found(query));
  const paint = async (rules: readonly Rule[], title: string, others: Others): Promise<void> => {
    const answers = await Promise.all(rules.map((rule) => searchIds(building.id, rule.query)));
    const { colours, counts } = paintOf(rules, answers.map((one) => one.global_ids));
    const ids = [...colours.keys()];
    store.set((state) => ({
      ...state, colouring: null, limits: null, spatial: null, picture: null, focusAlarm: null,
      painted: { colours, title, to: `/b/${building.id}`, rules: rules.map((rule, i) => ({ ...rule, count: counts[i] ?? 0 })) },
      isolated: others !== "show" && ids.length > 0 ? { ids, title } : null,
    }));
  };
  const open = async (saved: Saved, known: readonly Colouring[]): Promise<void> => {
    const content = saved.content as Content;
    if (saved.kind === "search") return store.set((state) => ({ ...state, leftOpen: true, leftTab: "search", query: content.query ?? "" }));
    if (saved.kind === "rules") return paint(content.rules ?? [], saved.name, content.others ?? "ghost");
    const shared = decodeView(content.view ?? "");
    if (!shared || !scene) return;
    store.set((state) => ({
      ...state, ...shownOf(shared), selection: content.selection ?? (shared.selected ? [shared.selected] : []),
      hidden: content.hidden ?? [], ghosted: content.ghosted ?? [], isolated: null, painted: null, spatial: null, picture: null,
      colouring: known.find((one) => one.key === shared.colouring) ?? null, limits: limitsOf(content), classes: content.classes ?? state.classes,
    }));
    tools.set((now) => ({ ...now, section: shared.section, apart: shared.apart, orthographic: shared.view.projection === "orthographic" }));
    if (content.colours) await open(await get<Saved>(`/saved/${content.colours}`), known);
    if (content.rules) await paint(content.rules, content.rules_title ?? saved.name, content.others ?? "show");
    const { only } = content;
    if (only) store.set((state) => ({ ...state, isolated: { ids: only, title: content.only_title ?? saved.name } }));
    await scene.ready;
    await scene.flyTo(shared.view);
  };
  return {
    isolate: (query, title) => safely(async () => {
      const ids = await found(query);
      if (ids.length === 0) return;
      store.set((state) => ({ ...state, isolated: { ids, title }, painted: null, storey: null }));
      await flyTo(scene, ids);
    }),
    hide: (query) => safely(async () => {
      const ids = await found(query);
      store.set((state) => ({ ...state, hidden: [...new Set([...state.hidden, ...ids])] }));
    }),
    ghost: (query) => safely(async () => {
      const ids = await found(query);
      store.set((state) => ({ ...state, ghosted: [...new Set([...state.ghosted, ...ids])] }));
    }),
    unhide: (query) => safely(async () => {
      const ids = new Set(await found(query));
      store.set((state) => ({ ...state, hidden: state.hidden.filter((one) => !ids.has(one)), ghosted: state.ghosted.filter((one) => !ids.has(one)) }));
    }),
    fly: (query) => safely(() => fly(query)),
    paint: (rules, title, others) => safely(() => paint(rules, title, others)),
    table: (query) => {
      const link = document.createElement("a");
      link.href = url(`/buildings/${building.id}/search/table`, { q: query });
      link.download = "search.csv";
      link.click();
    },
    open: (saved, known) => safely(() => open(saved, known)),
  };
}

async function flyTo(scene: Scene3D | null, ids: readonly string[]): Promise<void> {
  const seen = scene ? ids.filter((one) => scene.has(one)) : [];
  if (scene && seen.length > 0) await scene.flyTo(seen);
}

const shownOf = (shared: NonNullable<ReturnType<typeof decodeView>>): Pick<SceneState, "storey" | "storeyMode" | "selected" | "hiddenLayers" | "focusAlarm"> => ({
  storey: shared.storey, storeyMode: shared.storeyMode, selected: shared.selected, hiddenLayers: shared.hiddenLayers, focusAlarm: null,
});

const MOST_KEPT = 10_000; // GlobalIds, as the server takes

function limitsOf(content: Content): readonly [number, number] | null {
  const [low, high] = content.limits ?? [];
  return low === undefined || high === undefined ? null : [low, high];
}

/** What is seen now, as a viewpoint keeps it. */
export function useViewNow(): () => Content | null {
  const { store, tools } = useSceneScope();
  const scene = useScene();
  return () => {
    if (!scene) return null;
    const state = store.get();
    const { section, apart } = tools.get();
    const view = encodeView({
      view: scene.view(), storey: state.storey, storeyMode: state.storeyMode, selected: state.selected, colouring: state.colouring?.key ?? null,
      hiddenLayers: state.hiddenLayers, section, apart,
    });
    const rules = state.painted?.rules?.map(({ query, colour, label }) => ({ query, colour, label }));
    const ids = (kept: readonly string[]): string[] | null => (kept.length > 0 ? kept.slice(0, MOST_KEPT) : null);
    return {
      view, hidden: ids(state.hidden), ghosted: ids(state.ghosted), selection: state.selection.length > 1 ? [...state.selection] : null,
      ...(state.isolated ? { only: ids(state.isolated.ids), only_title: state.isolated.title.slice(0, 200) } : {}),
      ...(rules ? { rules, rules_title: state.painted?.title.slice(0, 200) ?? null, others: state.isolated ? "ghost" : "show" } : {}),
      ...(state.colouring ? { limits: state.limits ? [...state.limits] : null, classes: state.classes } : {}),
    };
  };
}

/** A small picture of the view, base64 without its address; null where there is none. */
export async function thumbnail(scene: Scene3D): Promise<string | null> {
  const blob = await scene.screenshot({ width: 480, height: 300, type: "image/jpeg" });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return bytes.length <= 300 * 1024 ? btoa(text) : null;
}
