"""Dashboards: kept for oneself or shared, saved over the revision that was read, and nothing odd is stored."""

import httpx

from tests.serving import Server

PLACE = {"x": 0, "y": 0, "w": 4, "h": 2}
VALUE = {"id": "a", "kind": "value", "point": "ahu1.supply", **PLACE}


def test_dashboards_are_kept_for_oneself_or_shared(server: Server, client: httpx.Client) -> None:
    client.post("/buildings", json={"name": "Board house"}).raise_for_status()
    listed = "/buildings/Board house/dashboards"
    body = {"name": "Plant", "layout": {"widgets": [VALUE]}}
    made = client.post(listed, json=body).raise_for_status().json()
    assert (made["mine"], made["shared"], made["revision"]) == (True, False, 1)
    assert client.post(listed, json=body).json()["code"] == "dashboard.name_taken"
    one = f"/dashboards/{made['id']}"
    again = {"name": "Plant", "layout": made["layout"], "shared": False, "revision": 1}
    assert client.put(one, json=again).raise_for_status().json()["revision"] == 2
    late = client.put(one, json=again)
    assert (late.status_code, late.json()["code"]) == (409, "dashboard.changed")
    copy = client.post(listed, json={"name": "Plant 2", "layout": made["layout"]}).raise_for_status().json()
    assert copy["layout"] == made["layout"]
    key = client.post("/api-keys", json={"name": "board reader", "role": "owner"}).raise_for_status().json()
    with httpx.Client(base_url=client.base_url, headers={"authorization": f"Bearer {key['secret']}"}) as other:
        assert other.get(listed).json()["items"] == [] and other.get(one).status_code == 404
        client.put(one, json={**again, "shared": True, "revision": 2}).raise_for_status()
        (seen,) = other.get(listed).json()["items"]
        assert (seen["name"], seen["mine"], seen["widgets"]) == ("Plant", False, 1) and "layout" not in seen
        assert other.delete(one).json()["code"] == "dashboard.not_yours"
        assert other.post(listed, json={**body, "shared": True}).json()["code"] == "permission.missing"
        assert other.post(listed, json=body).status_code == 201
    elsewhere = client.post("/buildings", json={"name": "Board shed"}).raise_for_status().json()["id"]
    here = {"name": "board shed reader", "role": "duty_operator", "buildings": [elsewhere]}
    key = client.post("/api-keys", json=here).raise_for_status().json()
    with httpx.Client(base_url=client.base_url, headers={"authorization": f"Bearer {key['secret']}"}) as foreign:
        assert [foreign.get(path).status_code for path in (one, listed)] == [404, 404]
        assert foreign.put(one, json={**again, "revision": 3}).status_code == 404
        assert foreign.delete(one).status_code == 404 == foreign.post(listed, json=body).status_code
    assert client.delete(one).status_code == 204
    assert [each["name"] for each in client.get(listed).json()["items"]] == ["Plant 2"]


def test_a_layout_that_makes_no_sense_is_refused_with_its_place(server: Server, client: httpx.Client) -> None:
    client.post("/buildings", json={"name": "Odd house"}).raise_for_status()
    odd = [
        [{**VALUE, "x": 10}],
        [VALUE, VALUE],
        [{**VALUE, "kind": "sorcery"}],
        [{**VALUE, "script": "x"}],
        [{"id": "a", "kind": "chart", "points": [], **PLACE}],
    ]
    for widgets in odd:
        answer = client.post("/buildings/Odd house/dashboards", json={"name": "x", "layout": {"widgets": widgets}})
        assert answer.status_code == 422, widgets
        assert any("layout" in each["field"] for each in answer.json()["errors"]), answer.json()
    many = {"name": "x", "layout": {"widgets": [{**VALUE, "id": str(n)} for n in range(61)]}}
    answer = client.post("/buildings/Odd house/dashboards", json=many)
    assert (answer.status_code, answer.json()["code"]) == (413, "dashboard.too_many_widgets")
    assert client.get("/buildings/Odd house/dashboards").json()["items"] == []
