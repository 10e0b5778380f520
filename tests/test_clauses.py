import pytest


def test_every_clause_that_a_test_claims_to_prove_exists(request: pytest.FixtureRequest, shared: object) -> None:
    path = request.config.rootpath.parent / "shared" / "standard" / "clauses.tsv"
    known = {line.split("\t", 1)[0] for line in path.read_text("utf-8").splitlines()}
    claimed = {(item.nodeid, mark.args[0]) for item in request.session.items for mark in item.iter_markers("clause")}
    assert not [claim for claim in sorted(claimed) if claim[1] not in known]
