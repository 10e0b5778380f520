"""One module per resource of the contract."""

from typing import Final

from api.route import Router
from api.routes import (
    accounts,
    alarms,
    api_keys,
    audit,
    checks,
    elements,
    exports,
    grants,
    health,
    jobs,
    maintenance,
    me,
    models,
    oidc,
    places,
    roles,
    session,
    spatial,
    telemetry,
    topics,
    versions,
)

ROUTERS: Final[tuple[Router, ...]] = (
    health.router,
    session.router,
    oidc.router,
    me.router,
    accounts.router,
    roles.router,
    grants.router,
    api_keys.router,
    audit.router,
    places.router,
    models.router,
    versions.router,
    jobs.router,
    exports.router,
    elements.router,
    checks.router,
    topics.router,
    spatial.router,
    telemetry.router,
    alarms.router,
    maintenance.router,
)
