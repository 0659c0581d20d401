"""Where a tracker's work belongs, over made-up registries: a place is named by what was said, or there is none."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ops_orchestrate.core.belonging import Clues, Doubt, place_error, place_ticket, served_by, spots_of
from ops_orchestrate.core.project import IssueSource, Project
from ops_orchestrate.core.sources import sources_of
from tests.builders import make_portfolio, make_project, make_repository

NAMES = ["app", "web", "billing-api", "web-admin", "app2"]


@st.composite
def registries(draw: st.DrawFn) -> tuple[Project, ...]:
    """Projects of one to three repositories; every name is used once."""
    names = draw(st.permutations(NAMES))
    projects, at = [], 0
    while at < len(names):
        size = draw(st.integers(1, 3))
        repositories = tuple(make_repository(name, slug=f"acme/{name}") for name in names[at : at + size])
        projects.append(make_project(names[at], repositories=repositories))
        at += size
    return tuple(projects)


CLUES = st.builds(
    Clues,
    links=st.lists(st.sampled_from([f"acme/{name}" for name in (*NAMES, "elsewhere")]), max_size=2).map(tuple),
    labels=st.lists(st.sampled_from([*NAMES, "Bug"]), max_size=2).map(tuple),
    title=st.sampled_from(["", "crash", "the web app is slow", *(f"[{name}] crash" for name in NAMES)]),
    text=st.sampled_from(["", *(f"see acme/{name}" for name in NAMES)]),
)


@settings(deadline=None)
@given(registries(), CLUES)
def test_a_ticket_is_placed_only_where_something_said_so(projects: tuple[Project, ...], clues: Clues) -> None:
    found = place_ticket(clues, projects, certain=False)
    said = {*clues.links, *clues.labels}
    texts = f"{clues.title} {clues.text}"
    if isinstance(found, Doubt):
        assert not found.named or len(found.named) > 1
        return
    named = {found.project.alias, found.repo.name, found.repo.slug}
    assert named & said or any(
        f"[{name}]" in texts or f"acme/{name}" in texts for name in (found.repo.name, found.project.alias)
    )


@settings(deadline=None)
@given(registries(), CLUES, st.sampled_from(NAMES))
def test_a_link_to_one_repository_outweighs_every_word(projects: tuple[Project, ...], clues: Clues, name: str) -> None:
    linked = clues.model_copy(update={"links": (f"acme/{name}",)})
    found = place_ticket(linked, projects, certain=False)
    assert not isinstance(found, Doubt)
    assert found.repo.name == name


@given(registries())
def test_who_says_nothing_is_placed_only_where_there_is_one_place(projects: tuple[Project, ...]) -> None:
    assert place_ticket(Clues(), projects, certain=False) == Doubt()
    certain = place_ticket(Clues(), projects, certain=True)
    assert isinstance(certain, Doubt) == (len(spots_of(projects)) > 1)


def test_who_a_team_works_for() -> None:
    app, web = make_project("app", linear_team="ENG"), make_project("web")
    assert served_by("eng", make_portfolio(app, web)) == ((app,), True)
    assert served_by("OPS", make_portfolio(app, web)) == ((app, web), False)
    both = make_portfolio(app, make_project("web", linear_team="eng"))
    assert served_by("ENG", both)[1] is False
    shared = make_portfolio(app, elsewhere=(IssueSource(alias="web", linear_team="Eng"),))
    assert served_by("ENG", shared) == ((app,), False)


def test_errors_of_a_project_that_nobody_names_have_no_place() -> None:
    assert place_error("shop", make_portfolio(make_project("app"))) == Doubt()


def test_a_source_that_nobody_names_is_no_part_of_the_audit() -> None:
    assert sources_of(make_portfolio()) == ()
    assert sources_of(make_portfolio(make_project("app", linear_team="ENG"))) == ("linear",)
    entry = IssueSource(alias="errors", sentry_project="shop")
    assert sources_of(make_portfolio(make_project("app", linear_team="E"), issue_sources=(entry,))) == (
        "linear",
        "sentry",
    )
