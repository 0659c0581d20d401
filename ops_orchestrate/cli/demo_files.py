"""The contents of the demo: four small repositories, the owner's tasks, and what the scripted agent does.

Data only. Each story shows one thing: a hand-over over repositories, a retry with a different brief, a refusal by a
guard, a task left for a person, a red baseline found by the audit, and a phase found in a roadmap.
"""

from __future__ import annotations

from typing import Any

GATE = "python3 -m unittest discover -q"

_TEST_HEADER = "import unittest\n\n"

SHOP_API = {
    "README.md": "# shop-api\n\nPrices and sessions of the shop.\n",
    "shop/__init__.py": "",
    "shop/pricing.py": '''"""Prices, in cents."""


def total(items):
    """The sum of the items' prices."""
    return sum(item["cents"] for item in items)
''',
    "shop/currency.py": '''"""Currencies."""

SYMBOLS = {"EUR": "€", "USD": "$"}
''',
    "shop/auth.py": '''"""Sessions."""

SESSION_MINUTES = 60 * 24 * 30
''',
    "tests/__init__.py": "",
    "tests/test_pricing.py": _TEST_HEADER
    + """from shop.pricing import total


class Total(unittest.TestCase):
    def test_it_adds_up(self):
        self.assertEqual(total([{"cents": 250}, {"cents": 50}]), 300)
""",
}

SHOP_WEB = {
    "README.md": "# shop-web\n\nThe shop's basket page; uses shop-api.\n",
    "web/__init__.py": "",
    "web/basket.py": '''"""The basket page."""


def headline(cents):
    """What stands above the basket."""
    return f"Total: {cents / 100:.2f}"
''',
    "tests/__init__.py": "",
    "tests/test_basket.py": _TEST_HEADER
    + """from web.basket import headline


class Headline(unittest.TestCase):
    def test_it_shows_euros(self):
        self.assertEqual(headline(300), "Total: 3.00")
""",
}

JOBS = {
    "README.md": "# jobs\n\nBackground jobs.\n",
    "jobs/__init__.py": "",
    "jobs/retry.py": '''"""How often a job is tried."""


def delays(attempts):
    """Seconds to wait before each further attempt."""
    return [2**number for number in range(attempts)]
''',
    "tests/__init__.py": "",
    "tests/test_retry.py": _TEST_HEADER
    + """from jobs.retry import delays


class Delays(unittest.TestCase):
    def test_they_double(self):
        self.assertEqual(delays(4)[:3], [1, 2, 4])

    def test_there_is_one_for_each_attempt(self):
        self.assertEqual(len(delays(3)), 3)
""",
}

HANDBOOK = {
    "README.md": "# handbook\n\nSee [setup](setup.md) and [deploy](deploy.md).\n",
    "setup.md": "# Setup\n\nInstall Python.\n",
    "tests/__init__.py": "",
    "tests/test_links.py": _TEST_HEADER
    + """import pathlib
import re


class Links(unittest.TestCase):
    def test_every_page_that_is_linked_exists(self):
        for page in pathlib.Path(".").glob("*.md"):
            for target in re.findall(r"\\]\\(([^)]+)\\)", page.read_text()):
                self.assertTrue(pathlib.Path(target).exists(), f"{page} links to {target}")
""",
    ".planning/STATE.md": """# Project State

## Current Position
Phase: 2 of 3 (Glossary)
Status: Ready to execute
""",
    ".planning/ROADMAP.md": """# Roadmap: handbook

## Phases
- [x] **Phase 1: Setup page** - how to install
- [ ] **Phase 2: Glossary** - the words we use
- [ ] **Phase 3: Sign-off** - human-verify: the owner reads it

## Phase Details
### Phase 1: Setup page
**Goal**: A page on installing.
**Depends on**: Nothing (first phase)

### Phase 2: Glossary
**Goal**: A glossary page with the words of the shop.
**Depends on**: Phase 1
**Success Criteria** (what must be TRUE):
  1. glossary.md explains "cart" and "checkout".

### Phase 3: Sign-off
**Goal**: human-verify: the owner reads the handbook and signs it off.
**Depends on**: Phase 2
""",
}

#: Name of the repository to its files.
REPOSITORIES: dict[str, dict[str, str]] = {
    "shop-api": SHOP_API,
    "shop-web": SHOP_WEB,
    "jobs": JOBS,
    "handbook": HANDBOOK,
}

#: What the owner asks for beside what the audit finds.
TASKS: list[dict[str, Any]] = [
    {
        "id": "api-total-with-tax",
        "project": "shop-api",
        "title": "feat: total with tax",
        "description": "The basket needs a total that includes tax.",
        "acceptance": ["total_with_tax(items, percent) rounds to whole cents", "a unit test shows it"],
        "paths": ["shop/pricing.py", "tests/test_pricing.py"],
        "priority": "P1-revenue",
    },
    {
        "id": "api-pound",
        "project": "shop-api",
        "title": "feat: pounds sterling",
        "acceptance": ["SYMBOLS knows GBP"],
        "paths": ["shop/currency.py", "tests/test_currency.py"],
        "priority": "P2",
    },
    {
        "id": "api-session-length",
        "project": "shop-api",
        "title": "fix: sessions live too long",
        "description": "A session must end after eight hours.",
        "acceptance": ["SESSION_MINUTES is 480"],
        "paths": ["shop/auth.py", "tests/test_auth.py"],
        "priority": "P1",
    },
    {
        "id": "jobs-retry-cap",
        "project": "jobs",
        "title": "fix: retries wait for hours",
        "description": "Delays must stop growing at one minute.",
        "acceptance": ["no delay is longer than 60 seconds"],
        "paths": ["jobs/retry.py", "tests/test_retry.py"],
        "priority": "P1",
    },
    {
        "id": "jobs-database-url",
        "project": "jobs",
        "title": "chore: make the database configurable",
        "acceptance": ["the database's address can be set"],
        "paths": ["jobs/", "tests/test_settings.py", ".env"],
        "priority": "P3",
    },
    {
        "id": "web-total-with-tax",
        "project": "shop-web",
        "title": "feat: show the total with tax",
        "description": "Use what shop-api now offers, and retry like the jobs do.",
        "acceptance": ["the headline names the tax"],
        "paths": ["web/", "tests/"],
        "priority": "P1",
        "blocked_by": ["api-total-with-tax", "jobs-retry-cap"],
    },
]

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


def _attempt(
    seconds: float, files: dict[str, str], message: str, summary: str, hand_over: str = ""
) -> list[dict[str, Any]]:
    """The usual course of one attempt: work, write, commit, report."""
    steps: list[dict[str, Any]] = [{"say": {"text": summary}}, {"sleep": {"seconds": seconds}}]
    steps += [{"write": {"path": path, "text": text}} for path, text in files.items()]
    steps += [
        {"commit": {"message": message}},
        {"report": {"status": "done", "summary": summary, "hand_over": hand_over, "cost_usd": 0.0}},
    ]
    return steps


def playbook(red_baseline: str, glossary: str) -> dict[str, list[list[dict[str, Any]]]]:
    """What the scripted agent does, by task id; the two ids are those of the tasks that the audit will find."""
    return {
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
        red_baseline: [
            _attempt(
                0.8,
                {"deploy.md": "# Deploy\n\nPush to main.\n"},
                "Write the missing page",
                "Wrote deploy.md, so that its link works",
            )
        ],
        glossary: [
            _attempt(
                1.0,
                {"glossary.md": "# Glossary\n\n**cart**: what you want. **checkout**: where you pay for it.\n"},
                "Write the glossary",
                "Wrote glossary.md with the words of the shop",
            )
        ],
    }
