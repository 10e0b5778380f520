"""Which tiles of a new version would come out as those of the previous one: nothing of theirs is encoded again.

A tile's bytes follow from the instances of its storey and layer alone, so equal instances mean equal tiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Extract, MeshArrays

REVISION: Final = b"tiles 2"  # change it when the same instances give other bytes
_DIGEST: Final = 16


@dataclass(frozen=True, slots=True)
class KnownTile:
    """A tile of an earlier version; `key` is that of its storey and layer."""

    key: bytes
    part: int
    hash: str
    size: int  # bytes as stored
    elements: int
    triangles: int
    bbox: tuple[float, ...]


def group_keys(
    extract: Extract, mesh: MeshArrays, group: NDArray[np.int64], layer_of: Sequence[str]
) -> Mapping[int, bytes]:
    """The key of each group of instances; `group` (I,) numbers them, `layer_of` names the layer of each group."""
    shapes = np.array([np.frombuffer(each, np.uint8) for each in _shape_digests(mesh)]).reshape(-1, _DIGEST)
    elements = np.unique(mesh.instance_element)
    named = np.zeros((len(extract.elements), _DIGEST), dtype=np.uint8)
    for index in elements.tolist():
        e = extract.elements[index]
        said = f"{e.global_id}\0{e.occurrence}\0{e.ifc_class}".encode()
        named[index] = np.frombuffer(blake2b(said, digest_size=_DIGEST).digest(), np.uint8)
    matrices = np.ascontiguousarray(mesh.instance_matrix, dtype=np.float64).reshape(-1, 16)
    records = np.hstack([named[mesh.instance_element], shapes[mesh.instance_shape], matrices.view(np.uint8)])
    packed = np.ascontiguousarray(records).view(np.dtype((np.void, records.shape[1]))).reshape(-1)
    keys: dict[int, bytes] = {}
    for number in np.unique(group).tolist():
        digest = blake2b(REVISION + layer_of[number].encode(), digest_size=_DIGEST)
        digest.update(np.sort(packed[group == number].view(f"S{records.shape[1]}")).tobytes())
        keys[number] = digest.digest()
    return keys


def _shape_digests(mesh: MeshArrays) -> list[bytes]:
    """16 bytes per shape over all that is in it."""
    colours = np.asarray(mesh.materials)[np.asarray(mesh.triangle_material)].reshape(-1, 4)
    digests = []
    v, t = mesh.shape_vertices.tolist(), mesh.shape_triangles.tolist()
    for s in range(len(v) - 1):
        digest = blake2b(np.ascontiguousarray(mesh.positions[v[s] : v[s + 1]]).tobytes(), digest_size=_DIGEST)
        digest.update(np.ascontiguousarray(mesh.triangles[t[s] : t[s + 1]]).tobytes())
        digest.update(np.ascontiguousarray(colours[t[s] : t[s + 1]]).tobytes())
        digests.append(digest.digest())
    return digests
