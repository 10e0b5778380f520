"""What COBie takes for granted and files leave out, made good in the opened file before ifcfm reads it.

COBie tells rows apart by their names, so ninety-five doors called "Door" would be one row; ifcfm takes it that every
component stands somewhere, every storey belongs to a building and every history has its user. The file on disk stays as
it is: only the copy in this worker's memory is changed.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import ifcopenshell
import ifcopenshell.guid
import ifcopenshell.util.element
from ifcopenshell import entity_instance as Entity
from ifcopenshell.util.fm import get_cobie_types

_NAMED: Final = ("IfcBuilding", "IfcBuildingStorey", "IfcSpace", "IfcZone")  # sheets of which a row is one element
_SYSTEMS: Final = ("IfcSystem", "IfcDistributionSystem")


def repair(file: ifcopenshell.file) -> None:
    """Give every row of COBie a name of its own and the relations that ifcfm follows."""
    _drop_broken_histories(file)
    types = _distinct(get_cobie_types(file))
    components = _distinct(each for kind in types for each in ifcopenshell.util.element.get_types(kind))
    _tell_apart(file, types, components)
    _place(file, components)
    _stack(file)


def _drop_broken_histories(file: ifcopenshell.file) -> None:
    """A history without user, application or date says nothing, and ifcfm would give up its element."""
    for history in file.by_type("IfcOwnerHistory"):
        user, application = history.OwningUser, history.OwningApplication
        if not (user and application and user.ThePerson and user.TheOrganization) or history.CreationDate is None:
            file.remove(history)


def _tell_apart(file: ifcopenshell.file, types: list[Entity], components: list[Entity]) -> None:
    """Names that several rows of a sheet have, or none, get the GlobalId behind them: the same in every export."""
    for ifc_class in _NAMED:
        _rename(file.by_type(ifc_class))
    _rename([each for name in _SYSTEMS if _knows(file, name) for each in file.by_type(name, include_subtypes=False)])
    _rename(types)
    _rename(components)
    of_connections = [element for rel in file.by_type("IfcRelConnectsPorts") for element in _connected(rel)]
    known = {each.id() for each in components}
    _rename(_distinct(e for e in of_connections if e.id() not in known), {each.Name for each in components})


def _rename(elements: Iterable[Entity], taken: Iterable[str] = ()) -> None:
    named = list(elements)
    counts = Counter(taken) + Counter(each.Name or "" for each in named)
    for each in named:
        name = each.Name or ""
        if not name or counts[name] > 1:
            each.Name = f"{name or each.is_a().removeprefix('Ifc')} [{each.GlobalId}]"


def _connected(relation: Entity) -> list[Entity]:
    from ifcopenshell.util.system import get_port_element

    ports = (relation.RelatingPort, relation.RelatedPort)
    return [element for port in ports if port is not None and (element := get_port_element(port)) is not None]


def _place(file: ifcopenshell.file, components: list[Entity]) -> None:
    """A component that stands nowhere stands in the building; windows are often said to fill an opening only."""
    lost = [each for each in components if ifcopenshell.util.element.get_container(each) is None]
    if lost:
        where = next((each for name in ("IfcBuilding", "IfcSite") for each in file.by_type(name)), None)
        where = where or file.create_entity("IfcSite", ifcopenshell.guid.new())
        _relate(file, "IfcRelContainedInSpatialStructure", RelatedElements=lost, RelatingStructure=where)


def _stack(file: ifcopenshell.file) -> None:
    """A storey that belongs to nothing belongs to the first building, or to one named as the project."""
    get_aggregate = ifcopenshell.util.element.get_aggregate
    loose = [each for each in file.by_type("IfcBuildingStorey") if get_aggregate(each) is None]
    if loose:
        building = next(iter(file.by_type("IfcBuilding")), None)
        if building is None:
            project = next((each.Name for each in file.by_type("IfcProject")), None)
            building = file.create_entity("IfcBuilding", ifcopenshell.guid.new(), Name=project)
        _relate(file, "IfcRelAggregates", RelatingObject=building, RelatedObjects=loose)


def _relate(file: ifcopenshell.file, ifc_class: str, **attributes: Any) -> None:
    file.create_entity(ifc_class, ifcopenshell.guid.new(), **attributes)


def _knows(file: ifcopenshell.file, ifc_class: str) -> bool:
    return ifc_class != "IfcDistributionSystem" or file.schema != "IFC2X3"


def _distinct(elements: Iterable[Entity]) -> list[Entity]:
    return list({each.id(): each for each in elements}.values())
