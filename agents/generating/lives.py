"""What do the accounts do next? A stream of input records that reads like business.

Rules:
- Pure: the random source and the time are handed in, so a seed and the same instants give the same records, byte for byte.
- Accounts take turns by popularity. What an account does follows from its phase (`phases`); its interest (`heat`) rises with what
  it does, cools with a half-life of 20 days, and predictions follow it.
- What follows from a deed later (payment, refund, the next page of a visit, the end of a lawsuit) waits in a heap until it is due.
- `pace` is how many milliseconds of a life pass in one millisecond: 86,400 lives a day each second, for demos.
- The first account lives through a lawsuit that is withdrawn, so that whoever watches for half a minute sees the risk gate.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import Literal, NamedTuple

from agents.generating.accounts import Account, popularity, profile_at_birth
from agents.generating.phases import DAY_MS, PHASES
from schemas.records import Actor, Event, Interaction, Order, Prediction, RiskSignal

HEAT_HALF_LIFE_MS = 20 * DAY_MS
TURNS_PER_DRAW = 1024
OWNER_ACTS = frozenset({"CALL", "MEETING", "EXECUTIVE_VISIT", "WECOM_MESSAGE"})
ASSETS = ("white-paper-pricing", "white-paper-security", "case-study-automotive", "roi-calculator", "buyers-guide", "api-reference")
CHANNELS = ("web", "web", "search", "wechat", "partner", "email")
WARMTH = {"PRICE_INQUIRY": 0.35, "MEETING": 0.3, "TRIAL_START": 0.3, "EVENT_CHECKIN": 0.2, "DOWNLOAD": 0.15, "EXECUTIVE_VISIT": 0.4}
COLD = 0.03

RiskKind = Literal["LAWSUIT", "TAX_ARREARS"]


class Happening(NamedTuple):
    """One record and the logical topic it belongs on."""

    topic: str
    record: Event


class Lives:
    """`accounts` lives that began before `start_at_ms`; `run` begins every event id, so that two runs never share one."""

    def __init__(self, random: Random, accounts: int, *, start_at_ms: int, pace: float = 1.0, run: str = "life") -> None:
        self.accounts = [Account(number, random) for number in range(1, accounts + 1)]
        self._random = random
        self._start_at_ms = start_at_ms
        self._pace = pace
        self._run = run
        self._events = 0
        self._popularity = popularity(accounts)
        self._turns: list[Account] = []
        self._later: list[tuple[int, int, Callable[[int], Happening]]] = []
        self._promises = 0
        self._pending: deque[Happening] = deque()
        self._begin()

    def births(self) -> Iterator[Happening]:
        """One profile for each account, before anything else it does."""
        for account in self.accounts:
            yield Happening("profiles", profile_at_birth(account, self._random, self._event_id(), self._start_at_ms))

    def at(self, at_ms: int) -> Happening:
        """The next record, occurred at `at_ms` or (what was due meanwhile) shortly before."""
        while not self._pending:
            self._turn(at_ms)
        return self._pending.popleft()

    def stream(self, instants: Iterable[int]) -> Iterator[Happening]:
        """One record for each instant; instants must not go back."""
        return map(self.at, instants)

    def _begin(self) -> None:
        born = [phase.birth_share for phase in PHASES.values()]
        for account in self.accounts:
            self._enter(account, self._random.choices(list(PHASES), born)[0], self._start_at_ms, already=self._random.random())
            account.heat = account.heat_told = PHASES[account.phase].interest * self._random.random()
        self._cast_the_lead(self.accounts[0])

    def _cast_the_lead(self, account: Account) -> None:
        account.fit = 0.95
        self._enter(account, "evaluating", self._start_at_ms, already=0.0)
        account.phase_until_ms = self._start_at_ms + self._lived(30)
        self._sue(account, "LAWSUIT", self._start_at_ms, raised_after=16, lasts=14)

    def _event_id(self) -> str:
        self._events += 1
        return f"{self._run}-{self._events}"

    def _lived(self, days: float) -> int:
        return int(days * DAY_MS / self._pace)

    def _when_due(self, at_ms: int, write: Callable[[int], Happening]) -> None:
        self._promises += 1  # equal instants are kept in the order they were promised
        heappush(self._later, (at_ms, self._promises, write))

    def _enter(self, account: Account, name: str, at_ms: int, *, already: float = 0.0) -> None:
        shortest, longest = PHASES[name].days
        days = self._random.uniform(shortest, longest) * (1 - already)
        account.phase = name
        account.phase_until_ms = at_ms + self._lived(days)
        if self._random.random() < 0.02 + 0.04 * account.heat:
            kind: RiskKind = "TAX_ARREARS" if self._random.random() < 0.6 else "LAWSUIT"
            self._sue(account, kind, at_ms, raised_after=self._random.uniform(0, days), lasts=self._random.uniform(10, 60))

    def _turn(self, at_ms: int) -> None:
        while self._later and self._later[0][0] <= at_ms:
            due_at_ms, _, write = heappop(self._later)
            self._pending.append(write(due_at_ms))
        if not self._turns:
            self._turns = self._random.choices(self.accounts, cum_weights=self._popularity, k=TURNS_PER_DRAW)
        account = self._turns.pop()
        if at_ms >= account.phase_until_ms:
            phase = PHASES[account.phase]
            self._enter(account, self._random.choices(phase.next_phases, cum_weights=phase.next_cumulative)[0], at_ms)
        phase = PHASES[account.phase]
        if self._random.random() < phase.awake:
            self._act(account, self._random.choices(phase.acts, cum_weights=phase.cumulative)[0], at_ms)

    def _act(self, account: Account, act: str, at_ms: int) -> None:
        lived_ms = (at_ms - account.seen_at_ms) * self._pace if account.seen_at_ms else 0.0
        account.seen_at_ms = at_ms
        heat = account.heat * 2.0 ** (-lived_ms / HEAT_HALF_LIFE_MS)
        account.heat = heat + (1 - heat) * WARMTH.get(act, COLD)
        self._pending.append(self._place(account, at_ms) if act == "ORDER" else self._interact(account, act, at_ms))
        if abs(account.heat - account.heat_told) > 0.15:
            account.heat_told = account.heat
            self._when_due(at_ms + self._lived(0.05), partial(self._predict, account))

    def _interact(self, account: Account, kind: str, at_ms: int) -> Happening:
        random = self._random
        contact = random.choice(account.contacts)
        if kind == "VISIT":
            return self._visit(account, contact, at_ms)
        actor: Actor = "OWNER" if kind in OWNER_ACTS else "CUSTOMER"
        return Happening("interactions", Interaction(
            event_id=self._event_id(), account_id=account.account_id, occurred_at=at_ms, kind=kind, actor=actor, contact_id=contact,
            asset=random.choice(ASSETS) if kind == "DOWNLOAD" else None,
            channel="email" if kind == "EMAIL_OPEN" else None,
            campaign_id="autumn-launch" if kind in ("EMAIL_OPEN", "EVENT_CHECKIN") and random.random() < 0.5 else None,
        ))  # fmt: skip

    def _visit(self, account: Account, contact: str, at_ms: int) -> Happening:
        dwell = round(self._random.lognormvariate(3.6, 0.9), 1)
        if self._random.random() < 0.3:
            self._when_due(at_ms + int(dwell * 1000 / max(self._pace, 1.0)), partial(self._visit, account, contact))
        return Happening("interactions", Interaction(
            event_id=self._event_id(), account_id=account.account_id, occurred_at=at_ms, kind="VISIT", contact_id=contact,
            dwell_seconds=dwell, channel=self._random.choice(CHANNELS),
        ))  # fmt: skip

    def _place(self, account: Account, at_ms: int) -> Happening:
        random = self._random
        order_id = f"o-{self._run}-{self._events + 1}"
        amount = int(random.lognormvariate(15.5, 1.0) * (0.3 + account.fit)) // 100 * 100
        fate = random.random()
        if fate < 0.85:
            self._when_due(at_ms + self._lived(random.uniform(3, 20)), partial(self._order, account, order_id, amount, "PAID"))
            if fate < 0.05:
                self._when_due(at_ms + self._lived(random.uniform(21, 45)), partial(self._order, account, order_id, amount, "REFUNDED"))
        elif fate < 0.92:
            self._when_due(at_ms + self._lived(random.uniform(1, 10)), partial(self._order, account, order_id, amount, "CANCELLED"))
        return self._order(account, order_id, amount, "PLACED", at_ms)

    def _order(
        self, account: Account, order_id: str, amount: int, status: Literal["PLACED", "PAID", "REFUNDED", "CANCELLED"], at_ms: int
    ) -> Happening:
        if status == "PAID" and account.phase in ("evaluating", "returning"):
            self._enter(account, "customer", at_ms)
        return Happening("orders", Order(
            event_id=self._event_id(), account_id=account.account_id, occurred_at=at_ms, order_id=order_id, status=status,
            amount_minor=amount, currency="CNY", product_line="platform" if amount % 300 else "services", recurring=amount % 200 == 0,
        ))  # fmt: skip

    def _predict(self, account: Account, at_ms: int) -> Happening:
        believed = 8 + 32 * account.fit + 60 * account.heat + self._random.gauss(0, 5)
        return Happening("predictions", Prediction(
            event_id=self._event_id(), account_id=account.account_id, occurred_at=at_ms,
            model="conversion", score=round(min(100.0, max(0.0, believed)), 1),
        ))  # fmt: skip

    def _sue(self, account: Account, kind: RiskKind, at_ms: int, *, raised_after: float, lasts: float) -> None:
        raised_at_ms = at_ms + self._lived(raised_after)
        risk_id = f"{kind.lower()}-{self._run}-{self._promises + 1}"
        self._when_due(raised_at_ms, partial(self._risk, account, risk_id, kind, "RAISED"))
        self._when_due(raised_at_ms + self._lived(lasts), partial(self._risk, account, risk_id, kind, "WITHDRAWN"))

    def _risk(self, account: Account, risk_id: str, kind: RiskKind, status: Literal["RAISED", "WITHDRAWN"], at_ms: int) -> Happening:
        return Happening("risks", RiskSignal(
            event_id=self._event_id(), account_id=account.account_id, occurred_at=at_ms, risk_id=risk_id, kind=kind,
            severity="HIGH" if kind == "LAWSUIT" else "MEDIUM", status=status, evidence_url=f"https://risk.example/{risk_id}",
        ))  # fmt: skip
