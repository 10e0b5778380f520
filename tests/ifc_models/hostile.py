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


def truncated(path: Path) -> Path:
    data = good(path).read_bytes()
    path.write_bytes(data[: data.index(b"#31=") + 20])
    return path


def wrong_magic(path: Path) -> Path:
    path.write_bytes(b"\x7fELF" + bytes(range(256)) * 400)
    return path


def big_ids(path: Path) -> Path:
    return write(path, BASE + "#4294967298=IFCWALL('0000000000000000000003',$,'A',$,$,$,$,$,$);\n")


def slipping_zip(path: Path) -> Path:
    return zip_slip(path, good(path.with_name("inner.ifc")))


def doubling_boolean(path: Path, levels: int = 60) -> Path:
    """Each union is of the one before with itself: 2^60 bodies in sixty lines."""
    chain = "#1000=IFCBOOLEANRESULT(.UNION.,#12,#12);\n" + "".join(
        f"#{1000 + i}=IFCBOOLEANRESULT(.UNION.,#{999 + i},#{999 + i});\n" for i in range(1, levels)
    )
    body = BASE + chain + wall(20, "000000000000000000000A", item=999 + levels) + wall(30, "000000000000000000000B")
    return write(path, body + contained(40, "#20,#30"))


def mapped_bomb(path: Path, levels: int = 9, width: int = 10) -> Path:
    """Each representation maps the one before ten times: a billion bodies."""
    lines = [
        "#900=IFCCARTESIANTRANSFORMATIONOPERATOR3D($,$,#7,$,$);",
        "#1000=IFCSHAPEREPRESENTATION(#5,'Body','S',(#12));",
    ]
    number = 1000
    for _ in range(levels):
        lines.append(f"#{number + 1}=IFCREPRESENTATIONMAP(#6,#{number});")
        items = range(number + 2, number + 2 + width)
        lines += [f"#{i}=IFCMAPPEDITEM(#{number + 1},#900);" for i in items]
        number += width + 2
        inside = ",".join(f"#{i}" for i in items)
        lines.append(f"#{number}=IFCSHAPEREPRESENTATION(#5,'Body','MappedRepresentation',({inside}));")
    lines.append(f"#{number + 1}=IFCREPRESENTATIONMAP(#6,#{number});\n#{number + 2}=IFCMAPPEDITEM(#{number + 1},#900);")
    body = BASE + "\n".join(lines) + "\n" + wall(20, "000000000000000000000A", item=number + 2)
    return write(path, body + wall(30, "000000000000000000000B") + contained(40, "#20,#30"))


def endless_numbers(path: Path) -> Path:
    """Coordinates that are no numbers a kernel can bear."""
    solid = (
        "#50=IFCCARTESIANPOINT((1.E308,-1.E308,1.E308));\n#51=IFCAXIS2PLACEMENT3D(#50,$,$);\n"
        "#52=IFCEXTRUDEDAREASOLID(#10,#51,#11,1.E300);\n"
    )
    body = BASE + solid + wall(20, "000000000000000000000A", item=52) + wall(30, "000000000000000000000B")
    return write(path, body + contained(40, "#20,#30"))


def empty_attributes(path: Path) -> Path:
    """What the schema demands is not there: no profile, no items, no placement."""
    body = BASE + "#50=IFCEXTRUDEDAREASOLID($,$,$,$);\n" + wall(20, "000000000000000000000A", item=50)
    body += wall(30, "000000000000000000000B").replace("(#12)", "()")
    return write(path, body + contained(40, "#20,#30"))


def many_entities(path: Path, count: int = 2_000_000) -> Path:
    """Two million lines, most of them points that nobody needs, and walls that all show one body."""
    with path.open("w") as file:
        file.write(HEAD.format(schema="IFC4") + BASE)
        for i in range(count - 3000):
            file.write(f"#{100_000 + i}=IFCCARTESIANPOINT(({i}.,0.,0.));\n")
        for i in range(1000):
            file.write(wall(1000 + 4 * i, f"0000000000000000{i:06d}"))
        file.write(contained(90_000, ",".join(f"#{1000 + 4 * i}" for i in range(1000))) + TAIL)
    return path


def a_list_of_millions(path: Path, count: int = 3_000_000) -> Path:
    """One line of a tessellation with millions of corners."""
    points = ",".join("(0.,0.,0.)" for _ in range(count))
    faces = ",".join(f"({i},{i + 1},{i + 2})" for i in range(1, count - 2, 3))
    body = f"#50=IFCCARTESIANPOINTLIST3D(({points}));\n#51=IFCTRIANGULATEDFACESET(#50,$,.T.,({faces}),$);\n"
    walls = wall(20, "000000000000000000000A", item=51) + wall(30, "000000000000000000000B")
    return write(path, BASE + body + walls + contained(40, "#20,#30"))
