"""A transition in words: pure, and the same on the live screen and in plain lines."""

from schemas.records import Contribution, TierTransition

MICRO = 1_000_000
ARROWS = {"UP": "▲", "DOWN": "▼", "ENTRY": "●"}
PLAIN_ARROWS = {"UP": "up", "DOWN": "down", "ENTRY": "enters"}


def cause_of(transition: TierTransition) -> str:
    """What made it: the kind of the record, and what the record was about."""
    cause = transition.cause
    if cause.detail is None or cause.detail in cause.kind:
        return cause.kind.lower().replace("_", " ")
    return cause.detail.lower().replace("_", " ")


def score_of(transition: TierTransition) -> str:
    """`54.1 → 61.3`, or nothing where a scheme has no score."""
    before, after = transition.score_before_micro, transition.score_after_micro
    return "" if before is None or after is None else f"{before / MICRO:.1f} → {after / MICRO:.1f}"


def reason_of(transition: TierTransition) -> str:
    """Why: the gate where one opened or closed, else the heaviest line of the dimension that moved most."""
    if transition.cause.kind == "RISK":
        return (
            f"held at {transition.to_tier} while it is open"
            if transition.direction == "DOWN"
            else f"withdrawn: back to {transition.to_tier}"
        )
    moved = max(transition.dimensions, key=lambda d: abs(d.after_micro - d.before_micro), default=None)
    lines = [line for line in transition.contributions if moved is not None and line.dimension == moved.name]
    heaviest = max(lines or transition.contributions, key=lambda line: line.micro, default=None)
    return "" if heaviest is None else line_of(heaviest)


def line_of(line: Contribution) -> str:
    """`behaviour DOWNLOAD x3 +12.0`."""
    times = f" ×{line.count}" if line.count is not None and line.count > 1 else ""
    return f"{line.dimension} {line.line}{times} {line.micro / MICRO:+.1f}"


def plain_line(elapsed_s: float, name: str, transition: TierTransition) -> str:
    """One line for a log."""
    step = f"{transition.from_tier or '-'} -> {transition.to_tier} {PLAIN_ARROWS[transition.direction]}"
    why = f"{cause_of(transition)}: {reason_of(transition)}"
    return f"{elapsed_s:6.1f}s  {transition.account_id}  {step:10}  {score_of(transition)}  {why}  ({name})"
