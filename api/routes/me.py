"""One's own account: name, password, sessions, second factor."""

from api.route import Router

router = Router(tags=["identity"])
