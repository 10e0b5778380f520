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


def test_a_screen_on_a_wall_looks_at_one_building_until_its_key_is_revoked(
    server: Server, client: httpx.Client
) -> None:
    here, other = (
        client.post("/buildings", json={"name": name}).raise_for_status().json()["id"]
        for name in ("Wall house", "Wall shed")
    )
    board = {"name": "Lobby", "layout": {"widgets": [VALUE]}}
    one = client.post(f"/buildings/{here}/dashboards", json={**board, "shared": True}).raise_for_status().json()["id"]
    own = client.post(f"/buildings/{here}/dashboards", json={**board, "name": "Own"}).raise_for_status().json()["id"]
    made = client.post("/api-keys", json={"name": "Lobby screen", "role": "owner", "buildings": [here]}).json()
    wide = client.post("/api-keys", json={"name": "No screen", "role": "crew", "buildings": [here]}).json()
    with httpx.Client(base_url=client.base_url) as screen:
        opened = screen.post("/session/display", json={"key": "twin_guessed"})
        assert (opened.status_code, opened.json()["code"]) == (401, "key.invalid")
        opened = screen.post("/session/display", json={"key": wide["secret"]})
        assert (opened.status_code, opened.json()["code"]) == (403, "display.not_read_only") and not screen.cookies
        screen.cookies.set("twin_display", wide["secret"])
        assert screen.get("/session").json()["code"] == "display.not_read_only"
        screen.cookies.clear()
        opened = screen.post("/session/display", json={"key": made["secret"]})
        assert (opened.json()["idle_seconds"], opened.json()["expires_at"]) == (None, None)
        (cookie,) = (each for each in opened.headers.get_list("set-cookie") if each.startswith("twin_display="))
        assert {"HttpOnly", "SameSite=strict", "Max-Age=34560000"} <= set(cookie.split("; "))
        assert [screen.get(f"/dashboards/{each}").status_code for each in (one, own)] == [200, 404]
        assert [each["id"] for each in screen.get("/buildings").json()["items"]] == [here]
        assert screen.get(f"/buildings/{other}/dashboards").status_code == 404
        refused = screen.post(f"/buildings/{here}/dashboards", json=board)  # what an owner may
        assert (refused.status_code, refused.json()["code"]) == (403, "display.looks_only")
        assert "twin_display=" in screen.get("/session").headers["set-cookie"], "kept from each look on"
        client.delete(f"/api-keys/{made['key']['id']}").raise_for_status()
        answer = screen.get(f"/dashboards/{one}")
        assert (answer.status_code, answer.json()["code"]) == (401, "key.invalid")
    (told,) = client.get("/audit", params={"action": "session.display"}).json()["items"]
    assert told["actor"] == "key:Lobby screen" and told["credential"] == f"key:{made['key']['id']}"


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
