"""The reports: each is one query over the read model and one entry here, with the question that it answers.

Queries take `:scheme`, `:since` and `:until` (the period is [since, until)), and what the entry names besides; the tables `rung` (tier,
rank from 0, the lowest), `target` (tier, accounts, effort) and `every` (tier, limit_ms) are filled from the policy and the options.
A tier of the past is that of the last change before it; an account without one has always been where it is.
"""

from typing import Literal, NamedTuple

Unit = Literal["text", "count", "share", "money", "instant", "days", "points"]


class Column(NamedTuple):
    """One column: its name in JSON and CSV, its heading on the screen, and what its numbers are."""

    name: str
    heading: str
    unit: Unit = "text"


class Picture(NamedTuple):
    """How rows are drawn. `against`: the column with the targets, or the line over the bars."""

    kind: Literal["bars", "matrix", "pareto"]
    label: str
    size: str
    against: str | None = None


class Report(NamedTuple):
    """One report. `reads`: the topics behind it; `span`: the period if none is named; `graded`: it says nothing without tiers."""

    name: str
    question: str
    fact: str
    reads: tuple[str, ...]
    query: str
    columns: tuple[Column, ...]
    picture: Picture | None = None
    span: Literal["none", "quarter", "90d", "365d"] = "none"
    graded: bool = True


def _tier_at(instant: str, account: str) -> str:
    """The tier of an account at an instant, as SQL over `standing s`."""
    past = "FROM transition x WHERE x.scheme = :scheme AND x.account_id = {0} AND x.at {1} {2} ORDER BY x.sequence {3} LIMIT 1"
    before, after = past.format(account, "<", instant, "DESC"), past.format(account, ">=", instant, "ASC")
    return f"coalesce((SELECT to_tier {before}), (SELECT from_tier {after}), s.tier)"


_TIERS = "account-tiers", "tier-transitions"

PYRAMID = Report(
    "pyramid",
    "How many accounts are in each tier, and how far is that from the mix we want?",
    "002-16",
    ("account-tiers",),
    """
    WITH held AS (SELECT tier, count(*) AS accounts FROM standing WHERE scheme = :scheme GROUP BY tier),
         whole AS (SELECT nullif(sum(accounts), 0) AS accounts FROM held)
    SELECT rung.tier, coalesce(held.accounts, 0) AS accounts, 1.0 * coalesce(held.accounts, 0) / whole.accounts AS share,
           target.accounts AS target, coalesce(held.accounts, 0) - target.accounts * whole.accounts AS over
    FROM whole, rung LEFT JOIN held USING (tier) LEFT JOIN target USING (tier)
    ORDER BY rung.rank DESC
    """,
    (Column("tier", "tier"), Column("accounts", "accounts", "count"), Column("share", "share", "share"),
     Column("target", "target", "share"), Column("over", "over (+) or under", "count")),
    Picture("bars", "tier", "share", "target"),
)  # fmt: skip

EFFORT = Report(
    "effort",
    "Which share of our touches goes to which tier, and where should it go?",
    "000-15, 002-17",
    (*_TIERS, "interactions"),
    f"""
    WITH touched AS (
           SELECT {_tier_at("touch.at + 1", "touch.account_id")} AS tier, touch.account_id
           FROM touch LEFT JOIN standing s ON s.scheme = :scheme AND s.account_id = touch.account_id
           WHERE touch.at >= :since AND touch.at < :until AND (:actor = 'ALL' OR touch.actor = :actor)),
         per_tier AS (SELECT tier, count(*) AS touches, count(DISTINCT account_id) AS touched FROM touched GROUP BY tier),
         whole AS (SELECT nullif(sum(touches), 0) AS touches FROM per_tier)
    SELECT rung.tier, coalesce(touches_of.touches, 0) AS touches, 1.0 * coalesce(touches_of.touches, 0) / whole.touches AS share,
           target.effort AS target, coalesce(touches_of.touched, 0) AS accounts,
           1.0 * touches_of.touches / touches_of.touched AS per_account
    FROM whole, rung LEFT JOIN per_tier AS touches_of USING (tier) LEFT JOIN target USING (tier)
    ORDER BY rung.rank DESC
    """,
    (Column("tier", "tier"), Column("touches", "touches", "count"), Column("share", "share", "share"), Column("target", "target", "share"),
     Column("accounts", "accounts touched", "count"), Column("per_account", "touches per account", "points")),
    Picture("bars", "tier", "share", "target"),
    "90d",
)  # fmt: skip

MOVEMENT = Report(
    "movement",
    "Who moved from which tier to which in the period?",
    "002-33",
    _TIERS,
    f"""
    WITH moved AS (
           SELECT {_tier_at(":since", "s.account_id")} AS from_tier, {_tier_at(":until", "s.account_id")} AS to_tier
           FROM standing s WHERE s.scheme = :scheme),
         counted AS (SELECT from_tier, to_tier, count(*) AS accounts FROM moved GROUP BY 1, 2)
    SELECT before.tier AS from_tier, after.tier AS to_tier, coalesce(accounts, 0) AS accounts
    FROM rung AS before, rung AS after LEFT JOIN counted ON counted.from_tier = before.tier AND counted.to_tier = after.tier
    ORDER BY before.rank DESC, after.rank DESC
    """,
    (Column("from_tier", "from"), Column("to_tier", "to"), Column("accounts", "accounts", "count")),
    Picture("matrix", "from_tier", "accounts", "to_tier"),
    "90d",
)  # fmt: skip

CADENCE = Report(
    "cadence",
    "Does every account hear from its owner as often as its tier asks?",
    "002-18",
    ("account-tiers", "interactions", "actions"),
    """
    WITH last AS (SELECT account_id, max(at) AS at FROM touch WHERE at < :until AND actor = 'OWNER' GROUP BY account_id),
         first AS (SELECT account_id, min(at) AS at FROM touch GROUP BY account_id),
         quiet AS (SELECT s.tier, :until - 1 - max(coalesce(last.at, 0),
                            CASE s.since_at WHEN 0 THEN coalesce(first.at, :until - 1) ELSE s.since_at END) AS quiet_ms
                   FROM standing s LEFT JOIN last USING (account_id) LEFT JOIN first USING (account_id)
                   WHERE s.scheme = :scheme AND s.since_at < :until),
         breached AS (SELECT tier, count(*) AS breaches FROM action
                      WHERE scheme = :scheme AND at >= :since AND at < :until AND resolves IS NULL
                        AND (lower(kind) LIKE '%cadence%' OR lower(name) LIKE '%cadence%') GROUP BY tier),
         per_tier AS (SELECT every.tier, every.limit_ms, count(quiet.tier) AS accounts,
                             count(CASE WHEN quiet_ms <= limit_ms THEN 1 END) AS kept, max(quiet_ms) AS quiet_ms
                      FROM every LEFT JOIN quiet USING (tier) GROUP BY every.tier)
    SELECT tier, limit_ms / 86400000.0 AS every_days, accounts, kept, accounts - kept AS overdue, 1.0 * kept / nullif(accounts, 0) AS share,
           quiet_ms / 86400000.0 AS longest_days, coalesce(breaches, 0) AS breaches
    FROM per_tier JOIN rung USING (tier) LEFT JOIN breached USING (tier)
    ORDER BY rung.rank DESC
    """,
    (Column("tier", "tier"), Column("every_days", "once in (days)", "days"), Column("accounts", "accounts", "count"),
     Column("kept", "kept", "count"), Column("overdue", "overdue", "count"), Column("share", "kept share", "share"),
     Column("longest_days", "longest silence (days)", "days"), Column("breaches", "announced in the period", "count")),
    Picture("bars", "tier", "share"),
    "90d",
)  # fmt: skip

_REVENUE = """SELECT account_id, sum(CASE status WHEN 'REFUNDED' THEN -own_minor ELSE own_minor END) AS revenue_minor, count(*) AS orders
           FROM purchase WHERE at >= :since AND at < :until AND own_minor IS NOT NULL AND status IN ('PAID', 'REFUNDED')
           GROUP BY account_id"""

TOP = Report(
    "top",
    "Which share of the revenue comes from the n largest customers?",
    "002-29, 002-02",
    ("account-tiers", "orders", "profiles"),
    f"""
    WITH revenue AS ({_REVENUE}),
         ranked AS (SELECT account_id, revenue_minor, orders, row_number() OVER (ORDER BY revenue_minor DESC, account_id) AS rank,
                           1.0 * revenue_minor / nullif(sum(revenue_minor) OVER (), 0) AS share,
                           1.0 * sum(revenue_minor) OVER (ORDER BY revenue_minor DESC, account_id ROWS UNBOUNDED PRECEDING)
                             / nullif(sum(revenue_minor) OVER (), 0) AS cumulative,
                           1.0 * row_number() OVER (ORDER BY revenue_minor DESC, account_id) / count(*) OVER () AS of_accounts
                    FROM revenue)
    SELECT rank, account_id, (SELECT content FROM field WHERE field.account_id = ranked.account_id AND field.name = 'name') AS name,
           (SELECT tier FROM standing s WHERE s.scheme = :scheme AND s.account_id = ranked.account_id) AS tier,
           orders, revenue_minor, share, cumulative, of_accounts
    FROM ranked WHERE rank <= :n ORDER BY rank
    """,
    (Column("rank", "#", "count"), Column("account_id", "account"), Column("name", "name"), Column("tier", "tier"),
     Column("orders", "orders", "count"), Column("revenue_minor", "revenue", "money"), Column("share", "share", "share"),
     Column("cumulative", "together", "share"), Column("of_accounts", "of buying accounts", "share")),
    Picture("pareto", "account_id", "revenue_minor", "cumulative"),
    "quarter",
    graded=False,
)  # fmt: skip

CAMPAIGNS = Report(
    "campaigns",
    "What did each campaign bring, down to the contract amount per lead?",
    "002-29",
    ("interactions", "orders", "hot-leads"),
    """
    WITH touched AS (SELECT campaign_id, count(*) AS touches, count(DISTINCT account_id) AS leads FROM touch
                     WHERE campaign_id IS NOT NULL AND at >= :since AND at < :until GROUP BY campaign_id),
         hot AS (SELECT campaign_id, count(*) AS hot FROM lead WHERE campaign_id IS NOT NULL AND at >= :since AND at < :until GROUP BY 1),
         credited AS (
           SELECT account_id, CASE status WHEN 'REFUNDED' THEN -own_minor ELSE own_minor END AS amount_minor, status,
                  coalesce(campaign_id, (SELECT t.campaign_id FROM touch t WHERE t.account_id = purchase.account_id AND t.at <= purchase.at
                             AND t.at > purchase.at - :within AND t.campaign_id IS NOT NULL ORDER BY t.at DESC LIMIT 1)) AS campaign_id
           FROM purchase WHERE at >= :since AND at < :until AND own_minor IS NOT NULL AND status IN ('PAID', 'REFUNDED')),
         brought AS (SELECT campaign_id, count(DISTINCT account_id) AS customers, count(CASE status WHEN 'PAID' THEN 1 END) AS orders,
                            sum(amount_minor) AS amount_minor FROM credited WHERE campaign_id IS NOT NULL GROUP BY campaign_id),
         named AS (SELECT campaign_id FROM touched UNION SELECT campaign_id FROM brought)
    SELECT campaign_id, coalesce(touches, 0) AS touches, coalesce(leads, 0) AS leads, coalesce(hot, 0) AS hot_leads,
           coalesce(customers, 0) AS customers, coalesce(orders, 0) AS orders, coalesce(amount_minor, 0) AS amount_minor,
           1.0 * coalesce(amount_minor, 0) / leads AS per_lead_minor
    FROM named LEFT JOIN touched USING (campaign_id) LEFT JOIN hot USING (campaign_id) LEFT JOIN brought USING (campaign_id)
    ORDER BY amount_minor DESC, campaign_id
    """,
    (Column("campaign_id", "campaign"), Column("touches", "touches", "count"), Column("leads", "leads", "count"),
     Column("hot_leads", "hot leads", "count"), Column("customers", "buyers", "count"), Column("orders", "orders", "count"),
     Column("amount_minor", "amount", "money"), Column("per_lead_minor", "amount per lead", "money")),
    Picture("bars", "campaign_id", "amount_minor"),
    "365d",
    graded=False,
)  # fmt: skip

HANDOVER = Report(
    "handover",
    "What must a new owner know of this account?",
    "002-29",
    (*_TIERS, "interactions", "orders", "profiles", "risks", "opportunities", "actions"),
    """
    SELECT part, at, what FROM (
      SELECT 1 AS place, 'who' AS part, at, CASE WHEN name GLOB '*_minor'
            THEN replace(replace(name, '_minor', ''), '_', ' ') || ': '
              || printf('%,d', round(content / :minor_per_unit)) || ' ' || :currency
            ELSE replace(name, '_', ' ') || ': ' || content END AS what, name AS sorted
        FROM field WHERE account_id = :account AND content IS NOT NULL AND name != 'owner_id'
      UNION ALL SELECT 2, 'tier', since_at, tier || ' on ladder ' || scheme || CASE pooled WHEN 1 THEN ', in the public pool' ELSE '' END
          || coalesce(', owner ' || owner_id, ''), scheme FROM standing WHERE account_id = :account
      UNION ALL SELECT 3, 'risk', at, kind || ' (' || severity || ') is open', at FROM risk
          WHERE account_id = :account AND status = 'RAISED'
      UNION ALL SELECT 4, 'to do', at, lower(kind) || ' ' || replace(name, '_', ' ') || ': ' || reason, at FROM action a
          WHERE account_id = :account AND resolves IS NULL AND kind NOT IN ('DONE', 'REFUSED', 'RECYCLED')
          AND NOT EXISTS (SELECT 1 FROM action b WHERE b.resolves = a.action_id)
          AND NOT EXISTS (SELECT 1 FROM action b WHERE a.kind = 'PLAYBOOK' AND b.kind = 'PLAYBOOK' AND b.account_id = a.account_id
                            AND b.scheme = a.scheme AND b.at > a.at)
      UNION ALL SELECT 5, 'opportunity', at, process || ' ' || opportunity_id || ': ' || stage || ', ' || lower(status), at
        FROM opportunity WHERE account_id = :account
      UNION ALL SELECT 6, 'bought', max(at), count(*) || ' × ' || lower(status) || ', '
          || printf('%,d', round(sum(own_minor) / :minor_per_unit)) || ' ' || :currency, status FROM purchase
          WHERE account_id = :account AND at >= :since AND own_minor IS NOT NULL GROUP BY status
      UNION ALL SELECT 7, 'touches', max(at), count(*) || ' × ' || lower(replace(kind, '_', ' ')) || ' (' || lower(actor) || ')', -count(*)
        FROM touch WHERE account_id = :account AND at >= :since GROUP BY kind, actor
      UNION ALL SELECT * FROM (SELECT 8, 'changes', at, scheme || ': ' || coalesce(from_tier || ' to ', 'entered ') || to_tier || ', '
          || lower(replace(cause, '_', ' ')) || ': ' || because, -at FROM transition WHERE account_id = :account ORDER BY at DESC LIMIT :n)
    ) ORDER BY place, sorted
    """,
    (Column("part", ""), Column("at", "since, or last", "instant"), Column("what", "what is known")),
    None,
    "365d",
)  # fmt: skip

REPORTS: dict[str, Report] = {report.name: report for report in (PYRAMID, EFFORT, MOVEMENT, CADENCE, TOP, CAMPAIGNS, HANDOVER)}
"""Every report by its name."""
