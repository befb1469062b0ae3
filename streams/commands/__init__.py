"""What people order the engine to do, folded like any other input: in its place in the order, once, and answered.

Rules:
- A command is carried out once (`known.py`). A repetition changes nothing and is not answered again.
- What can not be done is refused, which changes nothing. Both are answered (`answering.py`).
- No command makes an account: of an account that was never seen it is refused.
- A kind of command is one module and one entry of `KINDS`.
"""

from streams.account import AccountFold
from streams.accounts import Accounts
from streams.commands.answering import DONE, REFUSED, answered
from streams.commands.assigning import assign_owner
from streams.commands.erasing import erase
from streams.commands.known import REMEMBERED, Known
from streams.commands.order import Obey, Order, Refusal
from streams.commands.overriding import override, revoke_override
from streams.settling import Output

__all__ = ["KINDS", "REMEMBERED", "Known", "Order", "obey"]

KINDS: dict[str, Obey] = {"OVERRIDE": override, "REVOKE_OVERRIDE": revoke_override, "ASSIGN_OWNER": assign_owner, "ERASE": erase}


def obey(order: Order, accounts: Accounts, fold: AccountFold) -> list[Output]:
    """Carry the command out, or refuse it; what is published."""
    kind = order.command.kind
    try:
        if kind not in KINDS:
            raise Refusal(f"{kind} is not carried out by this version, which knows {', '.join(KINDS)}")
        done = KINDS[kind](order, accounts, fold)
    except Refusal as refused:
        return answered(order, REFUSED, str(refused))
    return [*done.outputs, *answered(order, DONE, done.said)]
