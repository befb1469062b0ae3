"""Which policy file is meant? A path as it stands, or the name of one that is shipped."""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import PolicyError, SettingsError

if TYPE_CHECKING:
    from agents.settings import Settings
    from streams.policy import CompiledPolicy

SHIPPED = Path(__file__).parents[2] / "policies"


def find_policy(named: Path) -> Path:
    """The file, or `policies/<name>.yaml` of this installation. Raises PolicyError."""
    candidates = [named, SHIPPED / named.name, SHIPPED / f"{named.name}.yaml"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    shipped = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.yaml")))
    raise PolicyError(f"policy file {named} does not exist: give a path, or one of the shipped policies: {shipped}")


def required_policy(named: Path | None) -> "CompiledPolicy":
    """The compiled policy; SettingsError if none was named."""
    from streams.policy import load_policy

    if named is None:
        raise SettingsError("no policy was named: give --policy FILE or set TIERSTREAM_POLICY (a shipped one to start with: --policy sabc)")
    return load_policy(find_policy(named))


def policy_or_in_force(settings: "Settings") -> "CompiledPolicy":
    """The policy that was named, else one that the application has had in force: each lane finds its own."""
    if settings.policy is not None:
        return required_policy(settings.policy)
    from agents.activating import in_force

    return in_force(settings)
