"""What the demo's scripted agent does, attempt by attempt. Data only; the stories are told in demo_files.py."""

from __future__ import annotations

from typing import Any

from ops_orchestrate.cli.demo_files import JOBS, SHOP_API, SHOP_WEB

Attempt = list[dict[str, Any]]
"""The steps that the agent plays."""

_PRICING = (
    SHOP_API["shop/pricing.py"]
    + '''

def total_with_tax(items, percent):
    """The sum of the items' prices with tax, rounded to whole cents."""
    return round(total(items) * (100 + percent) / 100)
'''
)
_TEST_PRICING = (
    SHOP_API["tests/test_pricing.py"].replace("import total", "import total, total_with_tax")
    + """
    def test_tax_is_rounded_to_whole_cents(self):
        self.assertEqual(total_with_tax([{"cents": 333}], 19), 396)
"""
)
_CAPPED = '''"""How often a job is tried."""

LONGEST = 60


def delays(attempts):
    """Seconds to wait before each further attempt, at most a minute."""
    return [min(LONGEST, 2**number) for number in range(attempts)]
'''
_CAPPED_WRONG = _CAPPED.replace("min(LONGEST, 2**number)", "min(LONGEST, 2 * number)")
_TEST_CAPPED = (
    JOBS["tests/test_retry.py"]
    + """
    def test_none_is_longer_than_a_minute(self):
        self.assertLessEqual(max(delays(20)), 60)
"""
)


def _attempt(seconds: float, files: dict[str, str], message: str, summary: str, hand_over: str = "") -> Attempt:
    """The usual course of one attempt: work, write, commit, report."""
    steps: list[dict[str, Any]] = [{"say": {"text": summary}}, {"sleep": {"seconds": seconds}}]
    steps += [{"write": {"path": path, "text": text}} for path, text in files.items()]
    steps += [
        {"commit": {"message": message}},
        {"report": {"status": "done", "summary": summary, "hand_over": hand_over, "cost_usd": 0.0}},
    ]
    return steps


#: What it does, by task id; what the audit finds gets its id there, so the end of it is left open.
PLAYBOOK: dict[str, list[Attempt]] = {
    "api-total-with-tax": [
        _attempt(
            1.2,
            {"shop/pricing.py": _PRICING, "tests/test_pricing.py": _TEST_PRICING},
            "Add total_with_tax",
            "Added total_with_tax(items, percent) with a test",
            "shop.pricing.total_with_tax(items, percent) returns whole cents",
        )
    ],
    "api-pound": [
        _attempt(
            1.0,
            {"shop/currency.py": SHOP_API["shop/currency.py"].replace('"$"}', '"$", "GBP": "£"}')},
            "Add pounds sterling",
            "SYMBOLS knows GBP",
        )
    ],
    "api-session-length": [
        _attempt(
            0.8,
            {"shop/auth.py": '"""Sessions."""\n\nSESSION_MINUTES = 60 * 8\n'},
            "End sessions after eight hours",
            "Sessions end after eight hours",
        )
    ],
    # Its change touches auth, so another session reads it; the owner's yes is still asked for.
    "review:api-session-length": [
        [{"answer": {"verdict": "approve", "summary": "the limit is only made shorter", "findings": []}}]
    ],
    "jobs-retry-cap": [
        _attempt(
            0.8,
            {"jobs/retry.py": _CAPPED_WRONG, "tests/test_retry.py": _TEST_CAPPED},
            "Cap delays",
            "Capped the delays",
        ),
        _attempt(
            0.8,
            {"jobs/retry.py": _CAPPED, "tests/test_retry.py": _TEST_CAPPED},
            "Cap delays at a minute, doubling until then",
            "Capped the delays; the failing test of the first attempt passes",
            "delays are now at most jobs.retry.LONGEST seconds",
        ),
    ],
    "jobs-database-url": [
        _attempt(0.6, {".env": "DATABASE=local\n"}, "Add the database's address", "Put the address into .env")
    ],
    "web-total-with-tax": [
        _attempt(
            1.0,
            {
                "web/basket.py": SHOP_WEB["web/basket.py"].replace("Total:", "Total with tax:"),
                "tests/test_basket.py": SHOP_WEB["tests/test_basket.py"].replace("Total: 3", "Total with tax: 3"),
            },
            "Show the total with tax",
            "The headline names the tax, from total_with_tax of shop-api",
        )
    ],
    # What the audit finds: the link to a page that is not there, and the roadmap's next phase.
    "handbook-red-baseline-*": [
        _attempt(
            0.8,
            {"deploy.md": "# Deploy\n\nPush to main.\n"},
            "Write the missing page",
            "Wrote deploy.md, so that its link works",
        )
    ],
    "handbook-phase-*": [
        _attempt(
            1.0,
            {"glossary.md": "# Glossary\n\n**cart**: what you want. **checkout**: where you pay for it.\n"},
            "Write the glossary",
            "Wrote glossary.md with the words of the shop",
        )
    ],
}
