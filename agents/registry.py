"""The schema registry: registers our schemas, learns the ids under which it has them, and what a producer wrote that we never met.

Rules (decision 0028): with a registry, public records are written under its ids and read by them, the catalogue's own ids as ever; what the
engine alone reads (fold-order, progress) keeps the catalogue's ids, so that state needs no registry. Ids never change, so what was learnt
once holds: a file may keep it for a start while the registry is down.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from agents.registry_client import RegistryClient, RegistryDown, RegistryRefused
from agents.settings import Settings
from schemas import catalogue
from schemas.catalogue import FOREIGN, Schema, SchemaCatalogue
from schemas.codec import Codec
from schemas.errors import SettingsError
from schemas.topics import TOPICS, Role

COMPATIBILITY: Final = "FULL_TRANSITIVE"
"""Old and new readers read old and new records. An operator's other choice for a subject is left alone."""
_ASK_AGAIN_S, _UNKNOWN_FOR_S, _MOST_UNKNOWN = 0.5, 30.0, 10_000
_Answer = TypeVar("_Answer")
_log = logging.getLogger("tierstream.registry")
_TOPIC_OF: Final = {topic.record.__name__: topic for topic in TOPICS.values() if topic.record is not None}


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """One schema under the registry's id. `version` 0: a producer's own, with its `definition`."""

    id: int
    record: str
    version: int
    definition: dict[str, Any] | None = None


class _Kept(msgspec.Struct, frozen=True):
    """What the file of ids holds."""

    url: str
    schemas: list[Registered]


class Registry:
    """The registry of a deployment. `settings.registry_url` must be set."""

    def __init__(self, settings: Settings) -> None:
        assert settings.registry_url is not None, "asked only where there is one"
        self._settings = settings
        self._client = RegistryClient(settings.registry_url, settings.registry, settings.broker_timeout_s)

    def subject(self, record: str) -> str:
        """TopicNameStrategy: the topic's name and `-value`."""
        return f"{self._settings.topic_name(_TOPIC_OF[record].name)}-value"

    def register(self) -> list[Registered]:
        """Our schemas, all of them, in the order of the catalogue: a fresh registry then gives the same ids. What is there stays."""
        return self._answered(lambda: [self._registered(schema) for schema in catalogue.shipped().all()])

    def look_up(self) -> list[Registered]:
        """Those of our schemas that it has."""
        found = self._answered(lambda: [(schema, self._id(schema)) for schema in catalogue.shipped().all()])
        return [Registered(id=number, record=schema.record, version=schema.version) for schema, number in found if number is not None]

    def others(self, known: Iterable[Registered]) -> list[Registered]:
        """What producers have registered of their own for the inputs."""
        ids = {each.id for each in known}
        inputs = [name for name, topic in _TOPIC_OF.items() if topic.role is Role.INPUT]
        return self._answered(lambda: [each for record in inputs for each in self._versions(record) if each.id not in ids])

    def definition(self, schema_id: int) -> Mapping[str, Any] | None:
        """The schema that an id names, None if there is none, or none of Avro. Raises RegistryDown."""
        try:
            return _avro_record(self._client.ask("GET", f"/schemas/ids/{schema_id}"))
        except RegistryRefused as refused:
            raise RegistryDown(str(refused)) from refused

    def _registered(self, schema: Schema) -> Registered:
        number = self._id(schema)
        if number is None:
            subject = quote(self.subject(schema.record), safe="")
            self._choose_compatibility(subject)
            number = self._new_id(schema, subject)
        return Registered(id=number, record=schema.record, version=schema.version)

    def _choose_compatibility(self, subject: str) -> None:
        """Unless somebody has chosen. Workers start at once: what this one is refused, another one may just have done."""
        config = f"/config/{subject}"
        if self._client.ask("GET", config) is None:
            try:
                self._client.ask("PUT", config, {"compatibility": COMPATIBILITY})
            except RegistryRefused:
                if self._client.ask("GET", config) is None:
                    raise

    def _new_id(self, schema: Schema, subject: str) -> int:
        try:
            answer = self._client.ask("POST", f"/subjects/{subject}/versions", _said(schema.definition))
        except RegistryRefused as refused:
            if (number := self._id(schema)) is not None:  # another one was faster
                return number
            raise SettingsError(
                f"registry {self._client.url} refuses version {schema.version} of {schema.record} for {self.subject(schema.record)} "
                f"({refused}): another version there is incompatible with it: take that back, or choose the subject's compatibility"
            ) from refused
        if answer is None:
            raise SettingsError(f"registry {self._client.url} has no /subjects: TIERSTREAM_REGISTRY_URL must name where its API begins")
        return int(answer["id"])

    def _id(self, schema: Schema) -> int | None:
        answer = self._client.ask("POST", f"/subjects/{quote(self.subject(schema.record), safe='')}", _said(schema.definition))
        return None if answer is None else int(answer["id"])

    def _versions(self, record: str) -> list[Registered]:
        subject = quote(self.subject(record), safe="")
        versions = self._client.ask("GET", f"/subjects/{subject}/versions") or []
        answers = [self._client.ask("GET", f"/subjects/{subject}/versions/{version}") or {} for version in versions]
        found = ((answer, _avro_record(answer)) for answer in answers)
        return [
            Registered(id=int(answer["id"]), record=str(definition.get("name")), version=FOREIGN, definition=definition)
            for answer, definition in found
            if definition is not None
        ]

    def _answered(self, ask: Callable[[], _Answer]) -> _Answer:
        """What it says, as soon as it answers. Raises SettingsError if it does not in time."""
        give_up_at = time.monotonic() + self._settings.broker_timeout_s
        while True:
            try:
                return ask()
            except RegistryDown as down:
                if time.monotonic() > give_up_at:
                    raise SettingsError(
                        f"schema registry {self._client.url} does not answer ({down}): start it, or correct TIERSTREAM_REGISTRY_URL"
                    ) from down
            except RegistryRefused as refused:
                raise SettingsError(
                    f"schema registry {self._client.url} refuses ({refused}): check TIERSTREAM_REGISTRY (user, certificates) and its rights"
                ) from refused
            time.sleep(_ASK_AGAIN_S)


class Finder:
    """Asks for ids that nobody has met before. `patient`: it waits while the registry is down, for a record must not be judged by that."""

    def __init__(self, registry: Registry, *, patient: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._registry, self._patient, self._monotonic = registry, patient, monotonic
        self._unknown_until: dict[int, float] = {}

    def __call__(self, schema_id: int) -> Mapping[str, Any] | None:
        """The schema, None if the registry has none. Raises SettingsError if it is down and nobody is to wait."""
        if self._unknown_until.get(schema_id, 0.0) > self._monotonic():
            return None
        found = self._asked(schema_id)
        if found is None:
            if len(self._unknown_until) >= _MOST_UNKNOWN:
                self._unknown_until.clear()
            self._unknown_until[schema_id] = self._monotonic() + _UNKNOWN_FOR_S
        return found

    def _asked(self, schema_id: int) -> Mapping[str, Any] | None:
        told = False
        while True:
            try:
                return self._registry.definition(schema_id)
            except RegistryDown as down:
                if not self._patient:
                    raise SettingsError(f"schema {schema_id} is new, and the registry does not answer ({down}): start it") from down
                if not told:
                    _log.warning("schema %d is new: waiting for the registry, which does not answer (%s)", schema_id, down)
                    told = True
            time.sleep(_ASK_AGAIN_S)


def codec_for(settings: Settings, *, at_work: bool = False) -> Codec:
    """What reads and writes the records of a deployment. `at_work`: registers what is missing, and waits for a registry that is down later.

    Raises SettingsError.
    """
    if settings.registry_url is None:
        return Codec()
    registry = Registry(settings)
    schemas = _learnt(settings, registry, register=at_work)
    return Codec(_catalogue_of(schemas, Finder(registry, patient=at_work)))


def _learnt(settings: Settings, registry: Registry, *, register: bool) -> list[Registered]:
    try:
        ours = registry.register() if register else registry.look_up()
        schemas = [*ours, *registry.others(ours)]
    except SettingsError as down:
        kept = _kept(settings) if isinstance(down.__cause__, RegistryDown) else None
        if kept is None:
            raise
        _log.warning("%s; going by %s", down, settings.registry_ids)
        return kept
    if settings.registry_ids is not None:
        _keep(settings.registry_ids, _Kept(settings.registry_url or "", schemas))
    return schemas


def _kept(settings: Settings) -> list[Registered] | None:
    """What the file of ids says of this registry, None where it says nothing of all that we write."""
    try:
        kept = msgspec.json.decode(settings.registry_ids.read_bytes(), type=_Kept) if settings.registry_ids is not None else None
    except (OSError, msgspec.DecodeError):
        return None
    known = {(each.record, each.version) for each in kept.schemas} if kept is not None else set()
    followed = {(schema.record, schema.version) for name in _TOPIC_OF for schema in [catalogue.shipped().followed(name)]}
    return kept.schemas if kept is not None and kept.url == settings.registry_url and followed <= known else None


def _keep(path: Path, kept: _Kept) -> None:
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
        partial.replace(path)
    except OSError as problem:
        raise SettingsError(f"TIERSTREAM_REGISTRY_IDS must name a file that can be written, got {path} ({problem.strerror})") from problem


def _catalogue_of(schemas: Iterable[Registered], find: Callable[[int], Mapping[str, Any] | None]) -> SchemaCatalogue:
    """The catalogue with the registry's ids for public records."""
    shipped = catalogue.shipped().all()
    definitions = {(schema.record, schema.version): schema.definition for schema in shipped}
    public = {name for name, topic in _TOPIC_OF.items() if topic.role is not Role.INTERNAL}
    registered = [
        Schema(id=each.id, record=each.record, version=each.version, definition=definition)
        for each in schemas
        if each.record in public and (definition := each.definition or definitions.get((each.record, each.version))) is not None
    ]
    return SchemaCatalogue(shipped, registered=registered, find=find)


def _said(definition: Mapping[str, Any]) -> dict[str, str]:
    return {"schema": json.dumps(definition, ensure_ascii=False, separators=(",", ":")), "schemaType": "AVRO"}


def _avro_record(answer: Any) -> dict[str, Any] | None:
    """The record that an answer describes; None for other kinds of schemas, and for what is no record."""
    if not answer or answer.get("schemaType", "AVRO") != "AVRO":
        return None
    definition = json.loads(answer["schema"])
    return definition if isinstance(definition, dict) and definition.get("type") == "record" else None
