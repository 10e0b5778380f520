/** The tree of a building as a flat list of visible rows, for a virtual list. Pure. */
import type { ElementRow, Tree } from "../../api/types";

export interface TreeRow {
  key: string;
  level: number;
  kind: "storey" | "space" | "class" | "element" | "wait";
  label: string;
  sub?: string;
  count?: number;
  open?: boolean;
  expandable: boolean;
  /** Of spaces and elements. */
  globalId?: string;
  storey?: string | null;
  ifcClass?: string;
}

/** What has to be loaded to open a branch: a query of `GET /elements`. */
export interface Branch {
  key: string;
  storey?: string;
  space?: string;
  ifcClass?: string;
}

export interface RowTexts {
  className: (ifcClass: string) => string;
  noStorey: string;
  unnamed: string;
}

export function spaceLabel(space: { name: string | null; long_name: string | null; global_id: string }): string {
  const { name, long_name: long } = space;
  if (!name || !long) return name ?? long ?? space.global_id;
  // "201 Kitchen" and "Kitchen, south" are one "201 Kitchen, south".
  for (let n = Math.min(name.length, long.length); n > 0; n--) if (name.endsWith(long.slice(0, n))) return name + long.slice(n);
  return `${name} ${long}`;
}

export function elementLabel(element: Pick<ElementRow, "name" | "long_name" | "global_id">): string {
  return element.name ?? element.long_name ?? element.global_id;
}

export function treeRows(
  tree: Tree, open: ReadonlySet<string>, loaded: ReadonlyMap<string, readonly ElementRow[]>, texts: RowTexts,
): { rows: TreeRow[]; wanted: Branch[] } {
  const rows: TreeRow[] = [];
  const wanted: Branch[] = [];
  const children = (branch: Branch, level: number): void => {
    const elements = loaded.get(branch.key);
    if (!elements) {
      wanted.push(branch);
      rows.push({ key: `${branch.key}…`, level, kind: "wait", label: "", expandable: false });
      return;
    }
    for (const element of elements) {
      rows.push({
        key: `${branch.key}/${element.id}`, level, kind: "element", label: elementLabel(element), expandable: false,
        globalId: element.global_id, ifcClass: element.ifc_class, storey: element.storey_id,
        ...(branch.ifcClass ? {} : { sub: texts.className(element.ifc_class) }),
      });
    }
  };
  // People read buildings from the top down; what is on no storey comes last.
  const placed = tree.storeys.filter((storey) => storey.id !== null).toReversed();
  for (const storey of [...placed, ...tree.storeys.filter((one) => one.id === null)]) {
    const key = `s:${storey.id ?? ""}`;
    const isOpen = open.has(key);
    rows.push({
      key, level: 0, kind: "storey", label: storey.id === null ? texts.noStorey : (storey.name ?? texts.unnamed), count: storey.elements,
      expandable: true, open: isOpen, storey: storey.id,
      ...(storey.elevation === null ? {} : { sub: `${storey.elevation > 0 ? "+" : ""}${storey.elevation.toFixed(2)} m` }),
    });
    if (!isOpen) continue;
    for (const space of storey.spaces) {
      const spaceKey = `${key}/r:${space.id}`;
      const spaceOpen = open.has(spaceKey);
      rows.push({
        key: spaceKey, level: 1, kind: "space", label: spaceLabel(space), count: space.elements, expandable: space.elements > 0,
        open: spaceOpen, globalId: space.global_id, storey: storey.id, ifcClass: "IfcSpace",
      });
      if (spaceOpen) children({ key: spaceKey, space: space.id }, 2);
    }
    for (const { ifc_class: ifcClass, count } of storey.classes) {
      const classKey = `${key}/c:${ifcClass}`;
      const classOpen = open.has(classKey);
      rows.push({
        key: classKey, level: 1, kind: "class", label: texts.className(ifcClass), count, expandable: storey.id !== null,
        open: classOpen, ifcClass, storey: storey.id,
      });
      if (classOpen && storey.id !== null) children({ key: classKey, storey: storey.id, ifcClass }, 2);
    }
  }
  return { rows, wanted };
}
