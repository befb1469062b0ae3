"""ERASE: the account is forgotten. Row, dossier and current tiers are deleted; a later record makes an account of another generation."""

from streams.account import AccountFold, Carried
from streams.accounts import Accounts
from streams.commands.order import Order, account_of
from streams.settling import Output


def erase(order: Order, accounts: Accounts, fold: AccountFold) -> Carried:  # noqa: ARG001 - nothing follows for nobody
    """Forget the account."""
    account_of(order, accounts)
    accounts.erase(order.key)
    return Carried("the account is erased", [Output("account-tiers", order.key, None)])
