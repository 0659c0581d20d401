"""The contents of the demo: four small repositories and the owner's tasks; demo_playbook.py has the agent's part.

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
