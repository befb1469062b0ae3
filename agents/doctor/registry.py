"""The schema registry, where one is set: it answers, and has what this version writes."""

from collections.abc import Iterator

from agents.doctor.findings import Finding, Ground, fine, look, told
from agents.registry import Registry
from schemas import catalogue
from schemas.errors import SettingsError


def registry(ground: Ground) -> Iterator[Finding]:
    """What is missing there, a starting worker registers; a command that writes cannot."""
    url = ground.settings.registry_url
    if url is None:
        yield fine("registry", "there is none: ids are those of the catalogue")
        return
    try:
        known = {(each.record, each.version) for each in Registry(ground.settings).look_up()}
    except SettingsError as refused:
        yield from (told("registry", problem) for problem in refused.problems)
        return
    lacking = [f"{schema.record} {schema.version}" for schema in catalogue.shipped().all() if (schema.record, schema.version) not in known]
    if lacking:
        yield look("registry", f"{url} lacks {', '.join(lacking)}", "`tierstream schemas register`, or start a worker")
    else:
        yield fine("registry", f"{url} has all {len(known)} schemas")
