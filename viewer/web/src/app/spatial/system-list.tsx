/** The building's systems, by class, with what is broken in them; a click shows where each one flows. */
import { TriangleAlert, Waypoints } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useClassName } from "../lib/names";
import { Empty, Failure, Lines } from "../parts";
import { useSceneState } from "../scene/state";
import { useSystems } from "./queries";
import { useAsk } from "./state";
import type { SystemRow } from "./types";

const nameOf = (system: SystemRow): string => system.long_name ?? system.name ?? system.global_id;

export function SystemList(): ReactNode {
  const { t } = useTranslation();
  const className = useClassName();
  const { spatial } = useSceneState();
  const ask = useAsk();
  const systems = useSystems();
  if (systems.isError) return <Failure error={systems.error} retry={() => void systems.refetch()} />;
  if (!systems.data) return <Lines />;
  if (systems.data.length === 0) return <Empty icon={Waypoints} title={t("scene.noSystems")} hint={t("scene.noSystemsHint")} />;
  const groups = new Map<string, SystemRow[]>();
  for (const system of systems.data) {
    const kind = [className(system.ifc_class), system.predefined_type].filter(Boolean).join(" · ");
    groups.set(kind, [...(groups.get(kind) ?? []), system]);
  }
  return (
    <div className="element-list">
      {[...groups].map(([kind, members]) => (
        <section key={kind} className="system-group">
          <h3>{kind}<small>{members.length}</small></h3>
          {members.map((system) => {
            const on = spatial?.kind === "system" && spatial.id === system.id;
            return (
              <button type="button" key={system.id} className={`element-row is-static${on ? " is-selected" : ""}`} aria-pressed={on} title={t("spatial.systems.edges")}
                onClick={() => ask(on ? null : { kind: "system", id: system.id, name: nameOf(system) })}>
                <Waypoints size={15} strokeWidth={1.6} aria-hidden />
                <span><b>{nameOf(system)}</b><Condition system={system} /></span>
                <span className="tree-count">{system.elements}</span>
              </button>
            );
          })}
        </section>
      ))}
    </div>
  );
}

/** How well the model says it: breaks are parts that should hang together, loose ends lead nowhere. */
function Condition({ system }: { system: SystemRow }): ReactNode {
  const { t } = useTranslation();
  const breaks = Math.max(0, system.parts - 1);
  const loose = system.loose_ports + system.loose_ends;
  const said = [
    system.edges === 0 ? t("spatial.systems.noEdges") : "",
    breaks > 0 ? t("spatial.systems.breaks", { count: breaks }) : "",
    system.loops > 0 ? t("spatial.systems.loops", { count: system.loops }) : "",
    loose > 0 ? t("spatial.systems.loose", { count: loose }) : "",
    system.edges_derived > 0 ? t("spatial.systems.derived") : "",
  ].filter(Boolean);
  return <small>{breaks > 0 ? <TriangleAlert size={11} aria-hidden className="sev-text-medium" /> : null} {said.join(" · ")}</small>;
}
