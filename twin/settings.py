"""Settings: every one has a description, stands in docs/settings.md and is TWIN_… in the environment."""

from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

GIB = 1 << 30
MIB = 1 << 20
KIB = 1 << 10


def _parts(value: Any) -> Any:
    """`a, b` in the environment is a tuple of two."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is no address and no network: a proxy that is misspelt must not go unnoticed."""
    return tuple(str(ip_network(each) if "/" in each else ip_address(each)) for each in value)


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)]


class OidcProvider(BaseModel):
    """An OpenID provider whose people may sign in here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9_-]{1,40}$")  # in the addresses of this server
    title: str  # on the button
    issuer: str  # URL under which /.well-known/openid-configuration is
    client_id: str
    client_secret: SecretStr | None = None  # none: a public client, PKCE alone
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"  # becomes the account's name
    roles_claim: str | None = None  # e.g. groups; none: roles are given here
    roles: dict[str, tuple[str, ...]] = Field({})  # value of that claim: roles here
    create: bool = False  # make an account for who has none; otherwise only known ones sign in
    second_factor: bool = False  # the provider asks for a second factor itself

    @field_validator("issuer")
    @classmethod
    def _is_secure(cls, issuer: str) -> str:
        """What comes over plain http may be anybody's; on this machine it is for trying things out."""
        url = urlsplit(issuer)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in ("localhost", "127.0.0.1", "::1")):
            raise ValueError("an OpenID provider is reached over https")
        return issuer


class Settings(BaseSettings):
    """What an installation may choose. Read once at start; a field `x` is `TWIN_X` in the environment."""

    model_config = SettingsConfigDict(env_prefix="TWIN_", extra="forbid", frozen=True)

    data: Path = Field(
        default_factory=lambda: user_data_path("twin", appauthor=False),
        description="Folder of everything this installation keeps: the embedded database and the blobs. "
        "Created private to its user.",
    )
    database: str | None = Field(
        None,
        repr=False,
        description="URL of your own PostgreSQL (16 or newer) or TimescaleDB, `postgresql://user:password@host/name`. "
        "Without it the embedded one in the data folder is used.",
    )
    database_connections: int = Field(
        16,
        ge=4,
        le=500,
        description="At most so many database connections per process, besides the listeners; and as many "
        "for callers who are limited to places.",
    )
    database_durable: bool = Field(
        True,
        description="Whether the embedded database waits for the disk. Without it all survives that a process is "
        "killed, nothing that the machine loses power; for tests and demonstrations.",
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    hosts: str | None = Field(
        None,
        description="Names by which this server is called (Host header), separated by commas; `*` for any. Without it: "
        "`localhost` while it listens on a loopback address only, else any.",
    )
    language: Literal["zh", "en"] = Field("zh", description="Language for callers that ask for none.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines look on stderr.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")

    worker: bool = Field(True, description="Run the job worker inside the server; otherwise start `twin worker`.")
    worker_jobs: int = Field(2, ge=1, le=64, description="Jobs that one worker runs at the same time.")

    upload_limit: int = Field(4 * GIB, ge=1, description="Largest uploaded file, bytes.")
    request_limit: int = Field(16 * MIB, ge=1024, description="Largest body of any other request, bytes.")
    header_limit: int = Field(32 * KIB, ge=8 * KIB, description="Largest header of a request, bytes.")
    request_stall: timedelta = Field(
        timedelta(seconds=30),
        description="A request whose body brings nothing for so long, or after that less than 1 KiB/s on average, is "
        "ended; so is one whose header takes longer, and an answer of which nothing is taken for so long.",
    )
    import_memory: int = Field(6 * GIB, ge=256 * MIB, description="Memory of each such process, bytes; more ends it.")
    import_time: timedelta = Field(
        timedelta(minutes=30), description="Time one import may take in all (ISO 8601, e.g. `PT30M`, or `00:30:00`)."
    )
    import_exact_time: timedelta = Field(
        timedelta(minutes=2),
        description="Time the slow, exact geometry kernel may take per model for what the fast one cannot do; "
        "what is left then gets a rougher mesh or a box, and the report says so.",
    )

    network_buildings: int = Field(
        8, ge=1, description="Buildings whose rooms, doors and systems are kept in memory; others are read anew."
    )
    network_contact: float = Field(
        0.015,
        ge=0,
        le=0.2,
        description="Ends of ducts, pipes and cables, or loose ports, that are this near are joined where a file says "
        "nothing, and marked derived; m.",
    )
    walking_speed: float = Field(
        1.3, ge=0.2, le=3.0, description="How fast people walk on the level where a route does not say otherwise; m/s."
    )
    graph_triples: int = Field(500_000, ge=1, description="Most triples in one Brick graph that is handed in.")
    point_rows: int = Field(50_000, ge=1, description="Most rows in one point list that is handed in.")

    readings_limit: int = Field(10_000, ge=1, description="Most readings in one request.")
    reading_ahead: timedelta = Field(
        timedelta(hours=1), description="Readings further ahead of the server's clock go into quarantine."
    )
    live_rate: float = Field(10.0, ge=0.2, le=20, description="Binary frames per second and topic on the live socket.")
    live_clients: int = Field(2_000, ge=1, description="Most live sockets open at once.")
    event_keep: timedelta = Field(
        timedelta(days=30), description="How long events stay for clients that come back; then they get `resync`."
    )

    session_idle: timedelta = Field(timedelta(minutes=15), description="A login ends when unused for so long.")
    session_life: timedelta = Field(timedelta(hours=12), description="A login ends after so long in any case.")
    session_count: int = Field(
        3, ge=1, le=100, description="Sessions one account may have at once; one more ends the oldest."
    )
    auditors_may_administer: bool = Field(
        False, description="Let one account be auditor and administrator. For very small installations only."
    )
    login_attempts: int = Field(5, ge=1, description="Wrong passwords from one address before a name is locked there.")
    login_lock: timedelta = Field(timedelta(minutes=15), description="How long such a lock lasts.")
    login_attempts_address: int = Field(
        50, ge=1, description="Wrong passwords from one address, whatever the names, within the time of a lock."
    )
    login_attempts_account: int = Field(
        50,
        ge=1,
        description="Wrong passwords for one name, within the time of a lock, from all addresses that it never signed "
        "in from; then only addresses are let in that it did.",
    )
    login_place_keep: timedelta = Field(
        timedelta(days=90), description="How long the addresses from which an account signed in are remembered."
    )
    trusted_proxies: Annotated[Names, AfterValidator(_networks)] = Field(
        (),
        description="Addresses or networks of the reverse proxies in front of this server, separated by commas. Only "
        "from them `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    )
    public_url: str | None = Field(
        None,
        description="Address under which browsers reach this server, `https://twin.example.org`; for OpenID providers. "
        "Without it the one of the request is taken.",
    )
    password_policy: Literal["asvs", "dengbao"] = Field(
        "asvs",
        description="Rules for passwords: `asvs` (OWASP ASVS 5.0: length, no common ones, no forced change) or "
        "`dengbao` (GB/T 22239: kinds of characters, regular change, history).",
    )
    password_length: int = Field(12, ge=8, le=64, description="Shortest password, characters.")
    password_age: timedelta = Field(
        timedelta(days=90), ge=timedelta(days=1), description="A password is changed after so long (`dengbao`)."
    )
    password_history: int = Field(
        5, ge=1, le=24, description="So many last passwords of an account are not taken again (`dengbao`)."
    )
    second_factor_roles: Names = Field(
        (), description="Roles whose accounts need a second factor, separated by commas, e.g. `administrator`."
    )
    key_file: Path | None = Field(
        None,
        description="The installation's key, which seals second factors. Made at first start; keep it with every "
        "backup, and give it to every server of one database. Without it: `installation.key` in the data folder.",
    )
    oidc_providers: tuple[OidcProvider, ...] = Field(
        (),
        description="OpenID providers whose people may sign in, a JSON list of objects: `id`, `title`, `issuer`, "
        "`client_id`, `client_secret`, `scopes`, `name_claim`, `roles_claim`, `roles`, `create`, `second_factor` "
        "(docs/identity.md).",
    )

    rate_key: int = Field(120_000, ge=1, description="Calls a minute of an API key that has no rate of its own.")
    rate_account: int = Field(12_000, ge=1, description="Calls a minute of an account.")
    rate_expensive: int = Field(300, ge=1, description="Uploads, imports and exports a minute of a key or account.")
    rate_anonymous: int = Field(6_000, ge=1, description="Calls a minute without credentials from one address.")
    rate_guesses: int = Field(
        200, ge=1, description="Wrong passwords, keys and sessions a minute from one address before it has to wait."
    )
    rate_concurrency: int = Field(
        250,
        ge=1,
        description="Calls at once of an API key that has no concurrency of its own, over all server processes.",
    )
    rate_expensive_concurrency: int = Field(
        16, ge=1, description="Uploads, imports and exports at once of a key or account, over all server processes."
    )
    quarantine_keep: timedelta | None = Field(
        timedelta(days=731),
        ge=timedelta(days=1),
        description="How long a refused reading that nobody has settled waits for it; `null` for ever.",
    )
    quarantine_keep_settled: timedelta | None = Field(
        timedelta(days=183),
        ge=timedelta(days=1),
        description="How long a refused reading stays that was put in again or dismissed; `null` for ever.",
    )
    usage_keep: timedelta = Field(timedelta(days=180), description="How long the usage of API keys is kept.")

    report_keep: timedelta | None = Field(
        timedelta(days=3653),
        ge=timedelta(days=1),
        description="How long a report that was made is kept, then it goes with its numbers; `null` for ever.",
    )

    dashboards_of_one: int = Field(
        200, ge=1, le=10_000, description="Dashboards that one person keeps in a building at most."
    )
    dashboard_widgets: int = Field(60, ge=1, le=1000, description="Widgets that a dashboard has at most.")

    audit_keep: timedelta | None = Field(
        None,
        ge=timedelta(days=183),
        description="How long entries of the audit trail stay, at least 183 days; for ever unless given. "
        "What is older goes in whole stretches from the beginning, and an anchor says so.",
    )
    audit_anchors: Path | None = Field(
        None,
        description="File that the heads of the audit chain are anchored in, one line each. Best on another machine's "
        "mount or on storage that only appends; `audit-anchors.jsonl` in the data folder unless given.",
    )
    audit_anchor_every: timedelta = Field(
        timedelta(minutes=1), gt=timedelta(0), description="How often the audit chain is anchored while it grows."
    )

    @property
    def blobs(self) -> Path:
        """The folder of the blob store."""
        return self.data / "blobs"
