"""`tierstream policy check|schema`: what a policy says, or everything that is wrong with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.options import AsJson
from agents.cli.output import err, out, plain_table, print_json
from agents.cli.policies import find_policy
from agents.dying import ExitCode
from schemas.errors import PolicyError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from streams.policy import CompiledPolicy, PolicyDocument

Given = Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file, or the name of a shipped policy.", show_default=False)]


def create_policy_commands() -> typer.Typer:
    """The `policy` group."""
    commands = typer.Typer(help="Check what a policy says before a worker runs by it.", no_args_is_help=True, rich_markup_mode="rich")
    commands.command("check")(check)
    commands.command("schema")(schema)
    return commands


def check(policy: Given, as_json: AsJson = False) -> None:
    """Read a policy as a whole: show what it says, or list every problem with its path (exit 2).

    [dim]Example:[/]  tierstream policy check policies/sabc.yaml
    """
    from streams.policy import load_policy

    try:
        compiled = load_policy(find_policy(policy))
    except PolicyError as error:
        _refuse(error, as_json)
        raise typer.Exit(ExitCode.WRONG_USE) from None
    if as_json:
        print_json(_summary(compiled))
        return
    console = out()
    console.print(f"[bold]{compiled.name}[/] {compiled.version}  digest {compiled.digest}  reviewed on {compiled.reviewed_on}")
    if compiled.document.description:
        console.print(f"[dim]{compiled.document.description.strip()}[/]")
    for part in _shown(compiled.document):
        console.print()
        console.print(part)
    console.print(f"\nreads [cyan]{', '.join(compiled.inputs)}[/]")
    console.print("[green]The policy is fine.[/]")


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


def _summary(compiled: "CompiledPolicy") -> dict[str, Any]:
    document = compiled.document.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"fine": True, "digest": compiled.digest, "inputs": list(compiled.inputs), "policy": document}


def _shown(document: "PolicyDocument") -> Iterator["RenderableType"]:
    """Ladder, weights, measures: in the order in which people ask."""
    for name, scheme in document.schemes.items():
        ladder = plain_table("tier", "from score", "lost below", "treatment", title=f"Ladder {name}")
        for tier in reversed(scheme.tiers):
            lost = tier.leave_below if tier.leave_below is not None else tier.enter_at
            ladder.add_row(f"[bold]{tier.name}[/]", _number(tier.enter_at), _number(lost), tier.treatment or "")
        yield ladder
        if scheme.risk:
            yield "  ".join(f"[red]{kind}[/] open: at most {risk.ceiling}" for kind, risk in scheme.risk.items())
    weights = plain_table("dimension", "weight", "made from", title="Score, 0 to 100")
    for name, weight in document.score.items():
        weights.add_row(name, f"{weight:.0%}", _said(document.dimensions[name]))
    yield weights
    if document.measures:
        measures = plain_table("measure", "from", "says", title="Measures")
        for name, measure in document.measures.items():
            measures.add_row(name, measure.from_, _said(measure, leave_out="from"))
        yield measures


def _number(limit: float | None) -> str:
    return "-" if limit is None else f"{limit:g}"


def _said(spec: Any, leave_out: str = "") -> str:
    """A part of the policy in the words of the file, on a line."""
    said = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    said.pop(leave_out, None)
    return _inline(said)


def _inline(said: Any) -> str:
    if isinstance(said, dict):
        return ", ".join(f"{key} {f'({_inline(inner)})' if isinstance(inner, dict) else _inline(inner)}" for key, inner in said.items())
    return f"{said:g}" if isinstance(said, float) else str(said)
