"""Where and how a deployment runs. Every setting is declared once: meaning, default, unit, limits.

Sources, strongest first: what the command line passes, `TIERSTREAM_*` variables, the TOML file that `TIERSTREAM_SETTINGS` names,
the defaults. What the business tunes is the policy, not a setting. Every problem is listed at once, by variable name.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableSource

from schemas.errors import SettingsError
from schemas.topics import TOPICS, physical_name

ENV_PREFIX = "TIERSTREAM_"
FILE_VARIABLE = f"{ENV_PREFIX}SETTINGS"
_KAFKA_NAME = r"^[a-zA-Z0-9._-]*$"
_OPTIONS = ("kafka", "registry")
"""Settings that hold a client's options, passwords among them."""
_SECRET = (*_OPTIONS, "redis_url")


class TomlFile(PydanticBaseSettingsSource):
    """The optional file of settings: one TOML table, keys as the fields are called."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the library's signature
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = os.environ.get(FILE_VARIABLE)
        return _read_toml(Path(path)) if path else {}


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib  # few have a file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SettingsError(f"{FILE_VARIABLE} must name a readable file, got {path} ({problem.strerror})") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{FILE_VARIABLE} must name a TOML file, got {path} ({problem})") from problem


class Settings(BaseSettings):
    """One deployment's settings. Build it with `load_settings`, which explains what is wrong."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    bootstrap_servers: str = Field("127.0.0.1:9092", min_length=1, description="Kafka brokers to ask first: host:port, comma between.")
    application_id: str = Field(
        "tierstream",
        min_length=1,
        max_length=100,
        pattern=_KAFKA_NAME,
        description="Names the group, the transactional ids, the changelog and fold-order. A new id is a rebuild from the inputs.",
    )
    topic_prefix: str = Field("", max_length=80, pattern=_KAFKA_NAME, description="Put before every topic name, to share a cluster.")
    output_prefix: str = Field(
        "",
        max_length=80,
        pattern=_KAFKA_NAME,
        description="Put before the names of the outputs, behind the topic prefix: for an application that publishes beside another.",
    )
    partitions: int = Field(8, ge=1, le=1024, description="Partitions of every account-keyed topic; fixed for an application id.")
    replication_factor: int = Field(1, ge=1, le=32, description="Copies of each topic that is created; 3 in production.")
    policy: Path | None = Field(None, description="The YAML policy to score by.")
    clock: Literal["wall", "records"] = Field(
        "wall", description="wall: live, lanes make their own ticks. records: history, time comes from the `ticks` topic."
    )
    tick_every_s: float = Field(
        1.0,
        gt=0,
        le=3_600,
        description="How often a lane looks whether time alone has changed an account.",
        json_schema_extra={"unit": "s"},
    )
    tick_delay_ms: int = Field(
        200,
        ge=0,
        le=60_000,
        description="A tick is so much older than the clock, for producers whose clock is behind.",
        json_schema_extra={"unit": "ms"},
    )
    tick_heartbeat_s: float = Field(
        60.0,
        gt=0,
        le=3_600,
        description="A partition in which nothing is due has a tick so often; alerts count on one a minute.",
        json_schema_extra={"unit": "s"},
    )
    batch_records: int = Field(20_000, ge=1, le=1_000_000, description="Most input records in one transaction.")
    dead_letter_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How much of 1,000 successive records of one topic in one partition may become dead letters; beyond it the worker "
        "stops before it writes them. 1 never stops.",
    )
    transaction_timeout_ms: int = Field(
        90_000,
        ge=1_000,
        le=900_000,
        description="How long an open transaction lives without its worker; above the broker outage to survive.",
        json_schema_extra={"unit": "ms"},
    )
    session_timeout_s: float = Field(
        10.0,
        gt=0,
        le=1_800,
        description="Silence after which the group gives a worker's partitions to others.",
        json_schema_extra={"unit": "s"},
    )
    heartbeat_interval_s: float = Field(
        1.0, gt=0, le=600, description="Pause between signs of life to the group.", json_schema_extra={"unit": "s"}
    )
    group_instance_id: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=_KAFKA_NAME,
        description="Static membership: a worker that is back under this id within the session keeps its partitions. "
        "Unique for each worker; wants a fixed web_port.",
    )
    broker_timeout_s: float = Field(
        5.0, gt=0, le=600, description="How long a command waits for a broker to answer.", json_schema_extra={"unit": "s"}
    )
    watchdog_s: float = Field(
        120.0,
        gt=0,
        le=86_400,
        description="A worker that has input, or restores, and gets nothing done for so long ends itself; above the transaction timeout.",
        json_schema_extra={"unit": "s"},
    )
    web_host: str = Field("127.0.0.1", min_length=1, description="Address of the web views and metrics.")
    web_port: int = Field(6066, ge=0, le=65_535, description="Port of the web views and metrics; 0 takes a free one.")
    web_advertised_host: str | None = Field(
        None, min_length=1, description="Host under which other workers reach this one's web views; web_host if not set."
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        min_length=1,
        repr=False,
        description="Redis of the projection: redis://:password@host:port/database; rediss:// for TLS, ?ssl_ca_certs=FILE. Never logged.",
    )
    redis_prefix: str = Field(
        "tierstream", min_length=1, max_length=80, pattern=_KAFKA_NAME, description="Begins every key of the projection, before a colon."
    )
    projection_id: str = Field(
        "projection",
        min_length=1,
        max_length=80,
        pattern=_KAFKA_NAME,
        description="Names the group of the projections that share the work of one Redis; another Redis wants another.",
    )
    lead_stream_length: int = Field(
        1_000, ge=1, le=1_000_000, description="About so many hot leads are kept in each stream of Redis, the newest."
    )
    lead_days: float = Field(
        30,
        gt=0,
        le=3_650,
        description="Hot leads older than this are not put into Redis any more.",
        json_schema_extra={"unit": "days"},
    )
    kafka: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="librdkafka options for every client (security.protocol, sasl.*, ssl.*), JSON in the variable. Never logged.",
    )
    registry_url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="A schema registry (Confluent's API): public records carry its ids. Not set: those of the catalogue, without any.",
    )
    registry: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="Options for the registry, JSON in the variable: basic.auth.user.info, bearer.auth.token, ssl.ca.location, "
        "ssl.certificate.location, ssl.key.location, ssl.key.password. Never logged.",
    )
    registry_ids: Path | None = Field(
        None, description="A file that keeps what the registry said, so that a worker starts while it is down. Not set: it refuses to."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, then the environment, then the file; no `.env` file is picked up by accident."""
        _ = dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlFile(settings_cls)

    def topic_name(self, logical: str) -> str:
        """The broker's name of a topic of the catalogue."""
        names = {"prefix": self.topic_prefix, "application": self.application_id, "outputs": self.output_prefix}
        return physical_name(TOPICS[logical], **names)

    @property
    def projection_group(self) -> str:
        """The consumer group of the projection."""
        return f"{self.topic_prefix}{self.application_id}-{self.projection_id}"

    def transactional_id(self, number: int) -> str:
        """The id under which the owner of a partition writes; whoever takes it fences the owner before."""
        return f"{self.topic_prefix}{self.application_id}-{number}"


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from all sources; an override that is None was not given. Raises SettingsError with every problem."""
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as invalid:
        raise SettingsError([_problem(error) for error in invalid.errors(include_input=True)]) from None
    except UnreadableSource as unreadable:
        named = next((name for name in _OPTIONS if f'"{name}"' in str(unreadable)), "KAFKA").upper()
        raise SettingsError(f"{ENV_PREFIX}{named} must be a JSON object of strings ({unreadable.__cause__ or unreadable})") from None


def _problem(error: Any) -> str:
    """`TIERSTREAM_PARTITIONS: input should be greater than or equal to 1, got 0`; never the value of a client option."""
    place = [str(part) for part in error["loc"]]
    secret = place[0] in _SECRET
    name = ".".join([ENV_PREFIX + place[0].upper(), *place[1:]]) if secret else ENV_PREFIX + ".".join(place).upper()
    if error["type"] == "extra_forbidden":
        return f"{place[0]}: there is no such setting (see `tierstream --help`)"
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{name}: {message}" if secret else f"{name}: {message}, got {error['input']!r}"


class Setting(NamedTuple):
    """One line of the table of settings in the operator's manual."""

    variable: str
    meaning: str
    default: str
    unit: str


def catalogue() -> list[Setting]:
    """Every setting with its variable, meaning, default and unit, for help texts and the manual."""
    return [
        Setting(
            variable=ENV_PREFIX + name.upper(),
            meaning=field.description or "",
            default=_shown(field.get_default(call_default_factory=True)),
            unit=_unit(field.json_schema_extra),
        )
        for name, field in Settings.model_fields.items()
    ]


def _shown(default: Any) -> str:
    return "" if default is None or default == {} else str(default)


def _unit(extra: Any) -> str:
    return str(extra["unit"]) if isinstance(extra, Mapping) else ""
