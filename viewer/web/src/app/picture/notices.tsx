/** Says what the picture lacks: tiles that failed, what there is no memory for, a graphics card that is gone for a moment. */
import { Button } from "antd";
import { X } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Quality, Scene3D } from "../../engine";
import type { Tree } from "../../api/types";
import { useStore } from "../lib/store";
import { IconButton } from "../parts";
import { formatNumber } from "../lib/format";
import { MEMORY_CHOICES, NOTHING_LACKS, ambientChoice, bytesOf, memoryChoice, moreThan, placesOf, type Lack } from "./state";
import "./picture.css";

const MANY = 4; // storeys; of more only the first are named

export function PictureNotices({ scene, tree }: { scene: Scene3D | null; tree: Tree }): ReactNode {
  const { t, i18n } = useTranslation();
  const lack = useLack(scene);
  const [closed, setClosed] = useState<Lack | null>(null);
  const [trying, setTrying] = useState(false);
  useChoices(scene);
  if (!scene || lack === closed || lack === NOTHING_LACKS) return null;
  const { failed, leftOut, lost } = lack;
  const list = (storeys: readonly (string | null)[]): string => {
    const places = placesOf(storeys, tree.storeys, t("tools.picture.elsewhere"));
    const shown = places.length > MANY ? [...places.slice(0, MANY - 1), t("tools.picture.others", { count: places.length - MANY + 1 })] : places;
    return new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(shown);
  };
  const layers = (names: readonly string[]): string =>
    new Intl.ListFormat(i18n.language).format(names.map((name) => t(`layer.${name as "shell"}`, { defaultValue: name })));
  const more = leftOut ? moreThan(scene.stats().memoryBudget) : null;
  return (
    <div className="picture-notices" role="status">
      {lost ? <p>{t("tools.picture.lost")}</p> : null}
      {failed.length > 0 ? (
        <div>
          <p><b>{t("tools.picture.failed", { count: failed.length })}</b> {list(failed.map(({ storey }) => storey))} ({layers([...new Set(failed.map(({ layer }) => layer))])})</p>
          <small>{failed[0]?.message}</small>
          <Button size="small" type="primary" loading={trying} onClick={() => {
            setTrying(true);
            void scene.retry().finally(() => setTrying(false));
          }}>{t("tools.picture.retry")}</Button>
        </div>
      ) : null}
      {leftOut ? (
        <div>
          <p><b>{t("tools.picture.leftOut", { count: leftOut.elements, elements: formatNumber(leftOut.elements, i18n.language) })}</b> {list(leftOut.storeys)} ({layers(leftOut.layers)})</p>
          <small>{t("tools.picture.leftOutHint")}</small>
          {more === null ? null : <Button size="small" onClick={() => memoryChoice.set(more)}>{t("tools.picture.more", { size: t("tools.picture.size", { count: more }) })}</Button>}
        </div>
      ) : null}
      <IconButton icon={X} size={15} label={t("tools.picture.close")} onClick={() => setClosed(lack)} />
    </div>
  );
}

/** What is missing now, told once tiles have settled. */
function useLack(scene: Scene3D | null): Lack {
  const [lack, setLack] = useState<Lack>(NOTHING_LACKS);
  useEffect(() => {
    if (!scene) return;
    const errors = new Map<string, Lack["failed"][number]>();
    const change = (with_: Partial<Lack>): void => setLack((before) => {
      const next = { ...before, ...with_ };
      return next.failed.length === 0 && !next.leftOut && !next.lost ? NOTHING_LACKS : next;
    });
    const failing = (): void => {
      const failed = new Set(scene.failed);
      for (const uri of errors.keys()) if (!failed.has(uri)) errors.delete(uri);
      change({ failed: [...errors.values()] });
    };
    const offs = [
      scene.on("error", (error) => {
        errors.set(error.uri, error);
        failing();
      }),
      scene.on("tile", () => {
        if (errors.size > 0) failing();
      }),
      scene.on("leftOut", (leftOut) => change({ leftOut })),
      scene.on("context", (state) => change({ lost: state === "lost" })),
    ];
    return () => {
      for (const off of offs) off();
      setLack(NOTHING_LACKS);
    };
  }, [scene]);
  return lack;
}

function useChoices(scene: Scene3D | null): void {
  const memory = useStore(memoryChoice);
  const ambient = useStore(ambientChoice);
  useEffect(() => scene?.setMemory(bytesOf(memory)), [scene, memory]);
  useEffect(() => scene?.setAmbientOcclusion(ambient), [scene, ambient]);
}

/** The choices of the tools' menu: key and label. */
export function usePictureItems(): { children: { key: string; label: string }[]; memory: { key: string; label: string }[]; ambient: Quality; selected: string[]; choose: (key: string) => boolean } {
  const { t } = useTranslation();
  const memory = useStore(memoryChoice);
  const ambient = useStore(ambientChoice);
  return {
    children: (["auto", "on", "off"] as const).map((key) => ({ key: `ambient-${key}`, label: t(`tools.picture.ambient.${key}`) })),
    memory: [
      { key: "memory-auto", label: t("tools.picture.memoryAuto") },
      ...MEMORY_CHOICES.map((size) => ({ key: `memory-${size}`, label: t("tools.picture.size", { count: size }) })),
    ],
    ambient,
    selected: [`ambient-${ambient}`, `memory-${memory ?? "auto"}`],
    choose: (key) => {
      const [what, value] = key.split("-");
      if (what === "ambient") ambientChoice.set(value as "auto");
      else if (what === "memory") memoryChoice.set(value === "auto" ? null : Number(value));
      else return false;
      return true;
    },
  };
}
