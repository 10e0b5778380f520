"""Small IFC files that are broken or hostile in one way each."""

import zipfile
from pathlib import Path

HEAD = """ISO-10303-21;
HEADER;
FILE_DESCRIPTION(('ViewDefinition [CoordinationView]'),'2;1');
FILE_NAME('test.ifc','2026-01-01T00:00:00',('a'),('b'),'c','d','');
FILE_SCHEMA(('{schema}'));
ENDSEC;
DATA;
"""
TAIL = "ENDSEC;\nEND-ISO-10303-21;\n"
BASE = """#1=IFCPROJECT('0000000000000000000001',$,'P',$,$,$,$,(#5),#2);
#2=IFCUNITASSIGNMENT((#3));
#3=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);
#5=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-5,#6,$);
#6=IFCAXIS2PLACEMENT3D(#7,$,$);
#7=IFCCARTESIANPOINT((0.,0.,0.));
#8=IFCBUILDINGSTOREY('0000000000000000000002',$,'S',$,$,#9,$,$,$,0.);
#9=IFCLOCALPLACEMENT($,#6);
#10=IFCRECTANGLEPROFILEDEF(.AREA.,$,$,1.,2.);
#11=IFCDIRECTION((0.,0.,1.));
#12=IFCEXTRUDEDAREASOLID(#10,#6,#11,3.);
"""


def wall(number: int, global_id: str, *, placement: int = 9, item: int = 12, name: str = "W") -> str:
    """A wall with its representation; uses ids `number` to `number + 3`."""
    return (
        f"#{number}=IFCWALL('{global_id}',$,'{name}',$,$,#{placement},#{number + 1},$,$);\n"
        f"#{number + 1}=IFCPRODUCTDEFINITIONSHAPE($,$,(#{number + 2}));\n"
        f"#{number + 2}=IFCSHAPEREPRESENTATION(#5,'Body','SweptSolid',(#{item}));\n"
    )


def contained(number: int, walls: str) -> str:
    return f"#{number}=IFCRELCONTAINEDINSPATIALSTRUCTURE('00000000000000000000R1',$,$,$,({walls}),#8);\n"


def write(path: Path, body: str, *, schema: str = "IFC4", tail: str = TAIL) -> Path:
    path.write_bytes((HEAD.format(schema=schema) + body + tail).encode("latin-1"))
    return path


def good(path: Path) -> Path:
    """A project, a storey and two walls."""
    body = BASE + wall(20, "000000000000000000000A") + wall(30, "000000000000000000000B") + contained(40, "#20,#30")
    return write(path, body)


def self_placed(path: Path) -> Path:
    """A wall whose placement is relative to itself, beside a good one."""
    loop = "#50=IFCLOCALPLACEMENT(#50,#6);\n"
    body = BASE + loop + wall(20, "000000000000000000000A", placement=50) + wall(30, "000000000000000000000B")
    return write(path, body + contained(40, "#20,#30"))


def deep_placements(path: Path, depth: int = 200_000) -> Path:
    chain = "#1000=IFCLOCALPLACEMENT($,#6);\n" + "".join(
        f"#{1000 + i}=IFCLOCALPLACEMENT(#{999 + i},#6);\n" for i in range(1, depth)
    )
    body = BASE + chain + wall(20, "000000000000000000000A", placement=999 + depth) + wall(30, "000000000000000000000B")
    return write(path, body + contained(40, "#20,#30"))


def deep_booleans(path: Path, depth: int = 20_000) -> Path:
    chain = "#1000=IFCBOOLEANRESULT(.UNION.,#12,#12);\n" + "".join(
        f"#{1000 + i}=IFCBOOLEANRESULT(.UNION.,#{999 + i},#12);\n" for i in range(1, depth)
    )
    body = BASE + chain + wall(20, "000000000000000000000A", item=999 + depth) + wall(30, "000000000000000000000B")
    return write(path, body + contained(40, "#20,#30"))


def self_boolean(path: Path) -> Path:
    loop = "#50=IFCBOOLEANRESULT(.UNION.,#50,#12);\n"
    body = BASE + loop + wall(20, "000000000000000000000A", item=50) + wall(30, "000000000000000000000B")
    return write(path, body + contained(40, "#20,#30"))


def parentheses(path: Path, depth: int = 1_000_000) -> Path:
    return write(path, BASE + f"#50=IFCPROPERTYLISTVALUE('n',$,{'(' * depth}{')' * depth},$);\n")


def zip_bomb(path: Path, megabytes: int = 300) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.ifc", "w") as out:
        out.write(HEAD.format(schema="IFC4").encode())
        for _ in range(megabytes):
            out.write(b" " * (1 << 20))
    return path


def zip_slip(path: Path, inner: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inner, "../../../../tmp/slipped.ifc")
    return path
