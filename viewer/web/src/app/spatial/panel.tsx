/** The right-hand panel while something is asked of the spatial graph. */
import { ArrowLeft, X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Tree } from "../../api/types";
import { IconButton } from "../parts";
import { useSceneState } from "../scene/state";
import { FlowPanel } from "./flow-panel";
import { RoundPanel } from "./round-panel";
import { RoutePanel } from "./route-panel";
import { useAsk, type Spatial } from "./state";
import { SystemPanel } from "./system-panel";

export function SpatialPanel({ question, tree, shown }: { question: Spatial; tree: Tree; shown: boolean }): ReactNode {
  if (question.kind === "route") return <RoutePanel question={question} tree={tree} shown={shown} />;
  if (question.kind === "round") return <RoundPanel question={question} tree={tree} shown={shown} />;
  if (question.kind === "system") return <SystemPanel key={question.id} question={question} />;
  return <FlowPanel key={question.globalId} question={question} />;
}

/** A panel with a title, a way back to the inspector and a way out. */
export function Panel({ title, sub, children }: { title: string; sub?: ReactNode; children: ReactNode }): ReactNode {
  const { t } = useTranslation();
  const { selected } = useSceneState();
  const ask = useAsk();
  return (
    <aside className="panel panel-right spatial-panel" aria-label={title}>
      <header className="inspector-head">
        <div className="inspector-title">
          {selected ? <IconButton icon={ArrowLeft} size={15} label={t("spatial.details")} onClick={() => ask(null)} /> : null}
          <h2>{title}</h2>
          <IconButton icon={X} size={16} label={t("spatial.close")} shortcut="Esc" onClick={() => ask(null)} />
        </div>
        {sub}
      </header>
      {children}
    </aside>
  );
}
