"""ASSIGN_OWNER: the account gets an owner, and is taken out of the pool.

From then on the account is owned as if its profile had said so: a profile of a later time that names an owner says otherwise again.
Who owns the account already goes on owning it, and is told so. Argument: `owner_id`.
"""

from streams.account import AccountFold, Carried, Changed, event_id64
from streams.accounts import Accounts
from streams.commands.order import Order, arguments, carried_out, said
from streams.settling import Account


def assign_owner(order: Order, accounts: Accounts, fold: AccountFold) -> Carried:
    """Give the account its owner."""
    command = order.command
    owner = said("argument owner_id", arguments(command, "owner_id").get("owner_id"))

    def change(account: Account) -> Changed:
        if account.dossier().owner() == owner:
            return Changed("this owner has the account already", "COMMAND", command.kind)
        dossier = account.dossier_to_change()
        was_pooled = dossier.pool is not None
        dossier.assign(owner, int(account.row["account.clock_ms"]), event_id64("commands", command.event_id))
        if was_pooled:
            order.policy.owned_again(account.row)
        order.policy.recall(account.row, dossier)
        return Changed(f"the account has this owner now{', and left the pool' if was_pooled else ''}", "COMMAND", command.kind)

    return carried_out(order, accounts, fold, change)
