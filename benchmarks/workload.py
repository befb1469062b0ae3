"""The work: what is put into the topics, the same for every engine and every run.

A profile for each account, then interactions of these accounts, skewed as traffic is (Zipf-Mandelbrot, as the generator has it): so the
interactions meet no account for the first time, and some of them change a tier. Pure: a seed gives the same bytes.
"""

from collections.abc import Iterator
from random import Random

import numpy as np

from agents.generating.accounts import Account, popularity, profile_at_birth
from agents.generating.poison import Framed
from schemas.codec import Codec
from schemas.records import AccountProfile, Event, Interaction, Prediction, RiskSignal

SEED = 7
KINDS = ("VISIT", "EMAIL_OPEN", "DOWNLOAD", "EVENT_CHECKIN", "PRICE_INQUIRY", "MEETING")  # the last has no price
_SHARES = (0.62, 0.16, 0.1, 0.04, 0.05, 0.03)

SPANS_MS = {"sabc": 60 * 86_400_000, "demo": 60_000, "sabc-live": 50 * 86_400_000}
"""How much event time the interactions cover, by policy: 60 days, which `demo` writes as seconds; 50 days where a million accounts are
born at the same instant, of which half would otherwise be recycled at the same instant too."""


def account_id(number: int) -> str:
    """Ten characters, like the generator's."""
    return f"acct-{number:06d}"


def profiles(accounts: int, at_ms: int, *, seed: int = SEED) -> Iterator[Framed]:
    """One profile for each account, in the generator's proportions."""
    random, codec = Random(seed), Codec()
    for number in range(accounts):
        account = Account(number, random)
        yield _framed("profiles", profile_at_birth(account, random, f"{account.account_id}-profile", at_ms), codec)


def interactions(accounts: int, records: int, start_at_ms: int, span_ms: int, *, seed: int = SEED, stretch: int = 0) -> Iterator[Framed]:
    """`records` interactions, evenly spread over `span_ms` of event time, each of an account drawn by popularity.

    `stretch`: another one has other event ids.
    """
    random = np.random.default_rng(seed)
    cumulative = np.asarray(popularity(accounts))
    by_rank = random.permutation(accounts)
    who = by_rank[np.searchsorted(cumulative, random.random(records) * cumulative[-1])].tolist()
    what = random.choice(len(KINDS), records, p=_SHARES).tolist()
    dwells = np.round(random.lognormal(3.6, 0.9, records), 1).tolist()
    codec = Codec()
    for number, (account, kind, dwell) in enumerate(zip(who, what, dwells, strict=True)):
        yield _framed("interactions", Interaction(
            event_id=f"{number:08x}-{stretch:04x}-4000-8000-{number * 7919:012x}", account_id=account_id(account),
            occurred_at=start_at_ms + number * span_ms // records, kind=KINDS[kind], contact_id=f"c{account:06d}-1",
            dwell_seconds=dwell if kind == 0 else None,
        ), codec)  # fmt: skip


def one_each(accounts: int, at_ms: int) -> Iterator[Framed]:
    """One interaction of each account, all at the same instant."""
    codec = Codec()
    for number in range(accounts):
        event = Interaction(event_id=f"first-{number}", account_id=account_id(number), occurred_at=at_ms, kind="DOWNLOAD")
        yield _framed("interactions", event, codec)


def top_accounts(accounts: int, at_ms: int) -> Iterator[Framed]:
    """Accounts `lead-...` that stand in the top tier of `sabc`: attributes, behaviour and prediction all worth 100."""
    codec = Codec()
    for number in range(accounts):
        who = lead_id(number)
        yield _framed("profiles", AccountProfile(
            event_id=f"{who}-profile", account_id=who, occurred_at=at_ms,
            industry="manufacturing", size="large", region="core", qualifications=["ISO9001", "ISO27001", "LISTED", "AAA_CREDIT"],
        ), codec)  # fmt: skip
        yield _framed(
            "predictions", Prediction(event_id=f"{who}-score", account_id=who, occurred_at=at_ms, model="conversion", score=100.0), codec
        )
        for turn in range(9):
            event = Interaction(event_id=f"{who}-{turn}", account_id=who, occurred_at=at_ms, kind="PRICE_INQUIRY")
            yield _framed("interactions", event, codec)


def lead_id(number: int) -> str:
    """The id of a top account."""
    return f"lead-{number:05d}"


def turn_id(lead: int, turn: int) -> str:
    """The event id of a top account's nth turn."""
    return f"{lead_id(lead)}-turn-{turn}"


def lawsuit(lead: int, turn: int, at_ms: int, codec: Codec) -> Framed:
    """Turn 0, 2, 4 ... raises a lawsuit against a top account, which holds it at C; turn 1, 3, 5 ... withdraws it again."""
    who = lead_id(lead)
    return _framed("risks", RiskSignal(
        event_id=turn_id(lead, turn), account_id=who, occurred_at=at_ms, risk_id=f"{who}-suit", kind="LAWSUIT", severity="HIGH",
        status="WITHDRAWN" if turn % 2 else "RAISED",
    ), codec)  # fmt: skip


def _framed(topic: str, event: Event, codec: Codec) -> Framed:
    return Framed(topic, event.account_id.encode(), codec.encode(event))
