"""Types and groups keep their rows when a re-export gives them new GlobalIds: grants and plans name them."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID, uuid4


class Named(Protocol):
    """What `TypeEntry` and `GroupEntry` have in common."""

    @property
    def global_id(self) -> str: ...
    @property
    def occurrence(self) -> int: ...
    @property
    def ifc_class(self) -> str: ...
    @property
    def name(self) -> str | None: ...


def stable_ids(known: Sequence[Mapping[str, Any]], entries: Sequence[Named]) -> list[UUID]:
    """The row of each entry: that of its GlobalId, else the one unclaimed row of its class and name, else a new one."""
    by_key = {(k["global_id"], k["occurrence"]): k["id"] for k in known}
    ids: list[UUID | None] = [by_key.get((e.global_id, e.occurrence)) for e in entries]
    claimed = set(ids)
    left: dict[tuple[str, str | None], list[UUID]] = defaultdict(list)
    for k in known:
        if k["id"] not in claimed:
            left[k["ifc_class"], k["name"]].append(k["id"])
    fresh = Counter((e.ifc_class, e.name) for e, id_ in zip(entries, ids, strict=True) if id_ is None)
    for i, entry in enumerate(entries):
        same = (entry.ifc_class, entry.name)
        if ids[i] is None and entry.name and fresh[same] == 1 and len(left[same]) == 1:
            ids[i] = left[same][0]
    return [id_ or uuid4() for id_ in ids]
