"""One module per resource of the contract."""

from typing import Final

from api.route import Router
from api.routes import alarms, elements, health, identity, jobs, maintenance, models, places, spatial, telemetry

ROUTERS: Final[tuple[Router, ...]] = (
    health.router,
    identity.router,
    places.router,
    models.router,
    jobs.router,
    elements.router,
    spatial.router,
    telemetry.router,
    alarms.router,
    maintenance.router,
)
