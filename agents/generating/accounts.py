"""Who are the accounts? Identity, firmographics and owner, drawn once; their popularity is skewed as real traffic is."""

from itertools import accumulate
from random import Random

from agents.generating.names import company_name
from schemas.records import AccountProfile

INDUSTRIES = ("manufacturing", "finance", "healthcare", "retail", "logistics", "energy", "education", "software")
SIZES = ("large", "medium", "small")
REGIONS = ("core", "east", "south", "north", "west", "overseas")
QUALIFICATIONS = ("ISO9001", "ISO27001", "HIGH_TECH", "SPECIALISED", "LISTED", "AAA_CREDIT")
_BUDGET_BY_SIZE = {"large": (200_000_000, 1_200_000_000), "medium": (40_000_000, 300_000_000), "small": (2_000_000, 60_000_000)}


class Account:
    """One account as the generator remembers it. `heat` is its present interest, 0 to 1; predictions follow it."""

    __slots__ = (
        "account_id",
        "contacts",
        "fit",
        "heat",
        "heat_told",
        "name",
        "number",
        "owner_id",
        "phase",
        "phase_until_ms",
        "seen_at_ms",
    )

    def __init__(self, number: int, random: Random) -> None:
        self.number = number
        self.account_id = f"acct-{number:06d}"
        self.name = company_name(random)
        self.owner_id = f"sdr-{random.randrange(1, 25):02d}"
        self.contacts = [f"c{number:06d}-{contact}" for contact in range(1, random.randint(2, 6))]
        self.fit = random.betavariate(2, 2)
        self.heat = self.heat_told = 0.0
        self.phase = ""
        self.phase_until_ms = 0
        self.seen_at_ms = 0


def profile_at_birth(account: Account, random: Random, event_id: str, at_ms: int) -> AccountProfile:
    """A good fit is more often large, in the core region and qualified; one field in ten is not known yet."""

    def known(drawn: str) -> str | None:
        return drawn if random.random() < 0.9 else None

    size = SIZES[min(2, int((1 - account.fit) * 3 * random.uniform(0.6, 1.2)))]
    low, high = _BUDGET_BY_SIZE[size]
    industry = random.choice(INDUSTRIES[:2]) if random.random() < account.fit else random.choice(INDUSTRIES)
    region = "core" if random.random() < account.fit else random.choice(REGIONS)
    return AccountProfile(
        event_id=event_id,
        account_id=account.account_id,
        occurred_at=at_ms,
        name=account.name,
        customer_kind="BUSINESS" if random.random() < 0.85 else random.choice(("GOVERNMENT", "CHANNEL")),
        industry=known(industry),
        size=known(size),
        region=known(region),
        qualifications=sorted(random.sample(QUALIFICATIONS, round(account.fit * 4))),
        annual_budget_minor=random.randrange(low, high, 100_000),
        industry_rank=max(1, round(random.paretovariate(0.7) * (1.2 - account.fit) * 5)),
        owner_id=account.owner_id,
        phone=f"+86 400 {random.randrange(10_000_000):07d}",
    )


def popularity(accounts: int, *, exponent: float = 1.05, flattened_by: float = 8.0) -> list[float]:
    """Cumulative Zipf-Mandelbrot weights: account 1 is busiest; `flattened_by` keeps it from drowning the rest."""
    return list(accumulate((rank + flattened_by) ** -exponent for rank in range(1, accounts + 1)))
