"""Diffs, previews and prepared commits, from what a mirror holds (cases D51, D52)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_orchestrate.adapters import history
from ops_orchestrate.core.change import FileChange
from ops_orchestrate.errors import GitError
from tests.adapters.gitshop import Shop, make_shop
from tests.repos import advance, commit, git, write


def changes(shop: Shop, **files: str | bytes | None) -> tuple[FileChange, ...]:
    base = shop.base()
    head = advance(shop.upstream, "dev", files)
    shop.workshop.refresh(shop.repo)
    return shop.workshop.diff(shop.repo, base, head).files


def test_added_and_removed_lines(shop: Shop) -> None:
    found = changes(shop, **{"src/a.py": "A = 2\n-- x\n++ y\n", "new": "diff --git a/x b/x\n@@ -1 +1 @@\n+z"})
    assert found == (
        FileChange(
            path="new",
            status="A",
            old_mode="000000",
            new_mode="100644",
            added=("diff --git a/x b/x", "@@ -1 +1 @@", "+z"),
        ),
        FileChange(
            path="src/a.py",
            status="M",
            old_mode="100644",
            new_mode="100644",
            added=("A = 2", "-- x", "++ y"),
            removed=("A = 1",),
        ),
    )


def test_a_moved_file_is_one_that_goes_and_one_that_comes(shop: Shop) -> None:
    found = changes(shop, **{"src/a.py": None, "other/a.py": "A = 1\n"})
    assert [(file.path, file.status) for file in found] == [("other/a.py", "A"), ("src/a.py", "D")]


def test_odd_names_empty_files_and_bytes(shop: Shop) -> None:
    names = ["new\nline", 'quo"te', "tab\tx", "café", "-x", "a b"]
    found = changes(shop, **dict.fromkeys(names, ""), **{"bin": b"\0\1", "latin": b"caf\xe9\n", "z": "last\n"})
    by_name = {file.path: file for file in found}
    assert set(by_name) == {*names, "bin", "latin", "z"}
    assert by_name["bin"].binary and not by_name["z"].binary
    assert by_name["latin"].added == ("caf\\xe9",)
    assert by_name["z"].added == ("last",)


def test_links_submodules_modes_and_types(shop: Shop) -> None:
    base = shop.base()
    other = shop.upstream.checkout
    (other / "link").symlink_to("/etc/passwd")
    (other / "src/a.py").unlink()
    (other / "src/a.py").symlink_to("b.py")
    (other / "README.md").chmod(0o755)
    git("update-index", "--add", "--cacheinfo", f"160000,{base},sub", cwd=other)
    (other / "sub").mkdir()
    write(other, {"zz": "after all of them\n"})
    head = commit(other, {})
    git("push", "--quiet", "origin", "dev", cwd=other)
    shop.workshop.refresh(shop.repo)
    diff = shop.workshop.diff(shop.repo, base, head)
    assert not diff.truncated
    assert [(file.path, file.status, file.new_mode) for file in diff.files] == [
        ("README.md", "M", "100755"),
        ("link", "A", "120000"),
        ("src/a.py", "T", "120000"),
        ("sub", "A", "160000"),
        ("zz", "A", "100644"),
    ]
    lines = {file.path: (file.removed, file.added) for file in diff.files}
    assert lines["src/a.py"] == (("A = 1",), ("b.py",))
    assert lines["zz"] == ((), ("after all of them",))


def test_attributes_in_the_change_cannot_hide_lines(shop: Shop) -> None:
    found = changes(shop, **{".gitattributes": "*.py -diff binary\n", "src/a.py": "A = 2\n"})
    assert found[1].added == ("A = 2",) and not found[1].binary


def test_a_diff_starts_at_the_merge_base(shop: Shop) -> None:
    base = shop.base()
    tree = shop.tree()
    head = commit(Path(tree.path), {"src/b.py": "B\n"})
    assert shop.collect(tree).head == head
    advance(shop.upstream, "dev", {"else": "x"})
    moved = shop.base()
    diff = shop.workshop.diff(shop.repo, moved, head)
    assert (diff.merge_base, [file.path for file in diff.files]) == (base, ["src/b.py"])


def test_a_diff_over_the_limits_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    base = shop.base()
    head = advance(shop.upstream, "dev", {f"f{number}": "x" * 500 + "\n" for number in range(20)})
    shop.workshop.refresh(shop.repo)
    assert not shop.workshop.diff(shop.repo, base, head).truncated
    monkeypatch.setattr(history, "MAX_DIFF_BYTES", 8_000)
    cut = shop.workshop.diff(shop.repo, base, head)
    assert cut.truncated and len(cut.files) == 20  # every name, but not every line
    monkeypatch.setattr(history, "MAX_DIFF_BYTES", 300)
    assert shop.workshop.diff(shop.repo, base, head).truncated
    monkeypatch.setattr(history, "MAX_DIFF_BYTES", 4_000_000)
    monkeypatch.setattr(history, "MAX_DIFF_FILES", 5)
    few = shop.workshop.diff(shop.repo, base, head)
    assert few.truncated and len(few.files) == 5


def test_no_common_history_is_an_error(shop: Shop) -> None:
    base = shop.base()
    alone = shop.workshop.commit_tree(
        shop.repo, tree=shop.workshop.tree_of(shop.repo, base), parents=(), message="alone\n", at=1
    )
    with pytest.raises(GitError, match="shares no history"):
        shop.workshop.diff(shop.repo, base, alone)


def test_a_preview_merges_without_a_tree(shop: Shop) -> None:
    tree = shop.tree()
    head = commit(Path(tree.path), {"src/b.py": "B\n"})
    shop.collect(tree)
    advance(shop.upstream, "dev", {"else": "x"})
    base = shop.base()
    preview = shop.workshop.preview(shop.repo, base, head)
    assert (preview.conflicts, preview.empty) == ((), False)
    assert shop.workshop.tree_of(shop.repo, preview.commit) == preview.tree
    assert shop.workshop.parents_of(shop.repo, preview.commit) == (base, head)
    assert shop.workshop.preview(shop.repo, base, head) == preview
    names = git("ls-tree", "-r", "--name-only", preview.tree, cwd=shop.mirror).split()
    assert names == ["README.md", "else", "src/a.py", "src/b.py"]


def test_conflicts_are_named(shop: Shop) -> None:
    tree = shop.tree()
    head = commit(Path(tree.path), {"src/a.py": "A = 'ours'\n", "new\nline": "ours"})
    shop.collect(tree)
    advance(shop.upstream, "dev", {"src/a.py": "A = 'theirs'\n", "new\nline": "theirs"})
    preview = shop.workshop.preview(shop.repo, shop.base(), head)
    assert preview.conflicts == ("new\nline", "src/a.py")
    assert (preview.tree, preview.commit) == ("", "")


def test_a_change_that_the_base_has_already_is_empty(shop: Shop) -> None:
    tree = shop.tree()
    head = commit(Path(tree.path), {"src/b.py": "B\n"})
    shop.collect(tree)
    advance(shop.upstream, "dev", {"src/b.py": "B\n"})
    assert shop.workshop.preview(shop.repo, shop.base(), head).empty


def test_the_same_merge_has_the_same_id(shop: Shop) -> None:
    base = shop.base()
    tree = shop.workshop.tree_of(shop.repo, base)

    def make(at: float, message: str = "caf\u00e9 \udce9\0\n") -> str:
        return shop.workshop.commit_tree(shop.repo, tree=tree, parents=(base,), message=message, at=at)

    assert make(1_700_000_000.0) == make(1_700_000_000.9) != make(1_700_000_001)
    shown = git("log", "-1", "--format=%an %ae %cn %at %ct %s", make(5), cwd=shop.mirror)
    assert shown == "ops-orchestrate ops-orchestrate@localhost ops-orchestrate 5 5 café \\udce9"


@pytest.mark.parametrize("word", ["HEAD", "-x", "refs/heads/dev", "0" * 40])
def test_only_commits_that_are_there(shop: Shop, word: str) -> None:
    base = shop.base()
    for ask in (shop.workshop.diff, shop.workshop.preview, shop.workshop.is_ancestor):
        with pytest.raises(GitError):
            ask(shop.repo, base, word)
    with pytest.raises(GitError):
        shop.workshop.tree_of(shop.repo, word)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".planning/STATE.md", "state\n"),
        ("odd\nname", "odd"),
        ("link", None),
        ("bin", None),
        (".planning", None),
        ("none", None),
        ("../app/README.md", None),
        ("/etc/passwd", None),
        ("-x", None),
        ("", None),
        ("a\0b", None),
        ("*", None),
    ],
)
def test_reading_a_file_of_a_commit(tmp_path: Path, path: str, text: str | None) -> None:
    files = {".planning/STATE.md": "state\n", "odd\nname": "odd", "bin": b"\0"}
    shop = make_shop(tmp_path, files=files)
    (shop.upstream.checkout / "link").symlink_to("/etc/passwd")
    head = commit(shop.upstream.checkout, {})
    git("push", "--quiet", "origin", "dev", cwd=shop.upstream.checkout)
    shop.workshop.refresh(shop.repo)
    assert shop.workshop.read_file(shop.repo, head, path) == text


def test_a_long_file_is_cut(shop: Shop) -> None:
    assert shop.workshop.read_file(shop.repo, shop.base(), "README.md", limit=3) == "# a"
