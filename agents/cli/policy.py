"""`tierstream policy check|schema`: what a policy says, or everything that is wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.options import AsJson
from agents.cli.output import err, out, print_json
from agents.cli.policies import find_policy
from agents.cli.policy_activate import activate
from agents.cli.policy_calibrate import calibrate
from agents.cli.policy_shown import show_policy
from agents.dying import ExitCode
from schemas.errors import PolicyError

if TYPE_CHECKING:
    from streams.policy import CompiledPolicy
    from streams.policy.linting import Finding

Given = Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file, or the name of a shipped policy.", show_default=False)]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 if there are warnings.")]


def create_policy_commands() -> typer.Typer:
    """The `policy` group."""
    commands = typer.Typer(
        help="Check what a policy says before a worker runs by it, and change the one in force.",
        no_args_is_help=True,
        rich_markup_mode="rich",
    )
    commands.command("check")(check)
    commands.command("schema")(schema)
    commands.command("calibrate")(calibrate)
    commands.command("activate")(activate)
    return commands


def check(policy: Given, strict: Strict = False, as_json: AsJson = False) -> None:
    """Read a policy as a whole: what lifts, what lowers, which clocks run, and what is odd about it; or every problem (exit 2).

    Warnings leave the exit code at 0 unless --strict is given: they name a fact of the source documents and how to mend it.

    [dim]Example:[/]  tierstream policy check policies/sabc.yaml
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from streams.policy import load_policy
    from streams.policy.linting import findings

    try:
        compiled = load_policy(find_policy(policy))
    except PolicyError as error:
        _refuse(error, as_json)
        raise typer.Exit(ExitCode.WRONG_USE) from None
    found = findings(compiled.document, datetime.now(ZoneInfo(compiled.document.timezone)).date())
    if as_json:
        print_json(_summary(compiled, found))
    else:
        show_policy(out(), compiled, found)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if found and strict else ExitCode.FINE)


def schema() -> None:
    """Print the JSON Schema of policies, for editors that check while you type.

    [dim]Example:[/]  tierstream policy schema > policies/policy.schema.json
    """
    from streams.policy import policy_json_schema

    print_json(policy_json_schema())


def _refuse(error: PolicyError, as_json: bool) -> None:
    if as_json:
        print_json({"fine": False, "problems": error.problems})
        return
    for problem in error.problems:
        err().print(f"tierstream: {problem}", markup=False)


def _summary(compiled: "CompiledPolicy", found: "list[Finding]") -> dict[str, Any]:
    from streams.policy.explaining import explained

    document = compiled.document.model_dump(mode="json", by_alias=True, exclude_none=True)
    said = [sentence._asdict() for sentence in explained(compiled.document)]
    warnings = [finding._asdict() for finding in found]
    return {
        "fine": True, "digest": compiled.digest, "inputs": list(compiled.inputs), "warnings": warnings, "says": said, "policy": document,
    }  # fmt: skip
