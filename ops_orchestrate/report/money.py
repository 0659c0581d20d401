"""Money in words: what something has cost, what today may cost, who has no quota."""

from __future__ import annotations

from collections.abc import Iterable

from ops_orchestrate.core.attempt import OutcomeKind
from ops_orchestrate.core.price import in_dollars
from ops_orchestrate.core.spend import Amount
from ops_orchestrate.core.treasury import Treasury
from ops_orchestrate.core.value import Value
from ops_orchestrate.report.amounts import count, money
from ops_orchestrate.report.cells import clean, for_encoding
from ops_orchestrate.report.frame import box, frame_width, heading, labelled
from ops_orchestrate.report.times import Clock
from ops_orchestrate.report.view import AttemptView, RunView


class Cost(Value):
    """What some attempts came to with their security reviews, as far as it is known."""

    attempts: int = 0
    usd: float | None = None
    tokens: int | None = None
    unpriced: int = 0
    """Attempts that have ended and whose price, or that of a review, is not known."""
    review_usd: float | None = None
    """The part of it that is the reviews'; None where there was none, or nobody knows. `review_tokens` likewise."""
    review_tokens: int | None = None
    plan_usd: float | None = None
    """The part of it that went on questions how to split a task. `plan_tokens` likewise."""
    plan_tokens: int | None = None


def cost_of(attempts: Iterable[AttemptView]) -> Cost:
    """What these attempts came to."""
    every = list(attempts)
    asked = [one for one in every if one.outcome == OutcomeKind.PLANNED]
    review_usd, review_tokens = _dollars(one.review_usd for one in every), _sum(one.review_tokens for one in every)
    return Cost(
        attempts=len(every),
        usd=_dollars((review_usd, *(one.cost_usd for one in every))),
        tokens=_sum((review_tokens, *(one.tokens for one in every))),
        unpriced=sum(1 for one in every if one.reviews_unpriced or (one.cost_usd is None and one.ended is not None)),
        review_usd=review_usd,
        review_tokens=review_tokens,
        plan_usd=_dollars(one.cost_usd for one in asked),
        plan_tokens=_sum(one.tokens for one in asked),
    )


def _dollars(amounts: Iterable[float | None]) -> float | None:
    known = [one for one in amounts if one is not None]
    return round(sum(known), 6) if known else None


def _sum(amounts: Iterable[int | None]) -> int | None:
    known = [one for one in amounts if one is not None]
    return sum(known) if known else None


def cost_words(attempts: Iterable[AttemptView]) -> str:
    """What they came to, and for how many of them nobody knows."""
    cost = cost_of(attempts)
    if not cost.attempts:
        return "none: no agent was started"
    spent = f", {count(cost.tokens, 'token')}" if cost.tokens else ""
    if cost.usd is None:
        return (f"price unknown{spent}" if cost.unpriced else f"not known yet{spent}") + _of_which(cost)
    unknown = f" (and {count(cost.unpriced, 'attempt')} of unknown price)" if cost.unpriced else ""
    return money(cost.usd) + spent + unknown + _of_which(cost)


def _of_which(cost: Cost) -> str:
    """The parts that security reviews and questions how to split a task have in it."""
    review = _part("security review", cost.review_usd, cost.review_tokens)
    words = "; ".join(part for part in (review, _part("planning", cost.plan_usd, cost.plan_tokens)) if part)
    return f"; of which {words}" if words else ""


def _part(what: str, usd: float | None, tokens: int | None) -> str:
    parts = [money(usd) if usd else "", count(tokens, "token") if tokens else ""]
    words = ", ".join(part for part in parts if part)
    return f"{what} {words}" if words else ""


def attempts_by_project(view: RunView) -> dict[str, list[AttemptView]]:
    """The attempts of a run by project; one without any is left out."""
    found: dict[str, list[AttemptView]] = {}
    for task in view.tasks.values():
        found.setdefault(task.project or task.repo, []).extend(task.attempts)
    return {project: attempts for project, attempts in found.items() if attempts}


def costs_by_project(view: RunView) -> dict[str, Cost]:
    """What each project of a run has cost, dearest first; one without an attempt is left out."""
    costs = {project: cost_of(attempts) for project, attempts in attempts_by_project(view).items()}
    return dict(sorted(costs.items(), key=lambda item: (-(item[1].usd or 0), -(item[1].tokens or 0), item[0])))


def short_cost(cost: Cost) -> str:
    """`$1.20, 34,000 tokens; of which security review $0.20`, `34,000 tokens, price unknown`, or a dash."""
    parts = [money(cost.usd) if cost.usd is not None else "", count(cost.tokens, "token") if cost.tokens else ""]
    parts.append("price unknown" if cost.unpriced and cost.usd is None else "")
    parts.append(f"{cost.unpriced} of unknown price" if cost.unpriced and cost.usd is not None else "")
    return (", ".join(part for part in parts if part) or "—") + _of_which(cost)


def waiting_words(view: RunView, clock: Clock | None = None) -> str:
    """Why tasks of a run that could start do not, and until when; empty where none waits for money or a quota."""
    until = f" (until {(clock or Clock()).moment(view.waiting_until)})" if view.waiting_until is not None else ""
    return view.waiting and view.waiting + until


def today_lines(treasury: Treasury) -> list[str]:
    """What the day has cost and used, and may."""
    purse, caps = treasury.purse, treasury.caps.day
    lines = [
        _line("$", (purse.micros, purse.review_micros), purse.reserved_micros, caps.micros, purse.unpriced),
        _line("tokens", (purse.tokens, purse.review_tokens), purse.reserved_tokens, caps.tokens, purse.uncounted),
    ]
    if not treasury.whole and (caps.limited or treasury.caps.project.limited):
        lines.append("the ledger is younger than the day: what came before is not known (--spent-today)")
    return lines


def parked_lines(parked: dict[str, float], clock: Clock | None) -> list[str]:
    """Accounts without quota, and until when."""
    shown = clock or Clock()
    return [f"{clean(account)} has no quota until {shown.moment(until)}" for account, until in parked.items()]


def budget_text(treasury: Treasury, width: int = 80, encoding: str | None = "utf-8", clock: Clock | None = None) -> str:
    """The budget for a terminal of `width` columns."""
    inner = frame_width(width, min(width, 100))
    day = f"{treasury.day.label} ({treasury.zone})"
    lines = heading(f"OPS ► ORCHESTRATE — Budget | {day}", inner)
    lines += labelled("Today:", today_lines(treasury), inner)
    lines += labelled("Caps:", _caps(treasury) or ["none: OPS_MAX_DAY_USD and its like set them"], inner)
    lines += labelled("Quotas:", parked_lines(treasury.parked, clock) or ["no account is parked"], inner)
    return for_encoding("\n".join([*lines, box(inner)]), encoding)


def amount_words(amount: Amount) -> str:
    """`$5.00 and 20,000 tokens`, one of the two, or `any amount`."""
    dollars = "" if amount.micros is None else _amount("$", amount.micros)
    tokens = "" if amount.tokens is None else _amount("tokens", amount.tokens)
    return " and ".join(part for part in (dollars, tokens) if part) or "any amount"


def _line(unit: str, spent: tuple[int, int], reserved: int, cap: int | None, unknown: int) -> str:
    """`spent`: (all of it, the security reviews' part)."""
    used, review = spent
    parts = [f"{_amount(unit, used)} used" + (f" (of which security review {_amount(unit, review)})" if review else "")]
    parts.append(f"{_amount(unit, reserved)} reserved" if reserved else "")
    parts.append(f"of {_amount(unit, cap)}" if cap is not None else "")
    parts.append(f"and {count(unknown, 'attempt')} of which nobody knows" if unknown else "")
    return ", ".join(part for part in parts if part)


def _amount(unit: str, amount: int) -> str:
    return money(in_dollars(amount)) if unit == "$" else count(amount, "token")


def _caps(treasury: Treasury) -> list[str]:
    caps = {scope: getattr(treasury.caps, scope) for scope in type(treasury.caps).model_fields}
    return [f"{scope}: {amount_words(cap)}" for scope, cap in caps.items() if cap.limited]
