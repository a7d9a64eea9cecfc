"""Which packages the project's own scripts ask a manager for."""

from __future__ import annotations

import pytest

from package_hunter.ecosystems.npm.asked import MAX_ASKED, by_scripts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("npx only-allow npm", ("only-allow",)),
        ("npx -y patch-package@8.0.0 && echo done", ("patch-package",)),
        ("CI=1 npx --yes husky install || true", ("husky",)),
        ("npx -p @scope/tool@^1.2 --package other --registry x -- tool --flag", ("@scope/tool", "other")),
        ("npx --package=typescript tsc -p .", ("typescript",)),
        ("npm exec --yes -- simple-git-hooks", ("simple-git-hooks",)),
        ("(pnpm dlx husky; yarn dlx is-ci)|cat", ("husky", "is-ci")),
        ("bunx lefthook install", ("lefthook",)),
        ("npx --no-install husky", ()),
        ("npx --no -- husky", ()),
        ("npx $TOOL && npx `cat name` && npx ./local && npx github:a/b", ()),
        ("npx 'unclosed", ()),
        ("echo npx only-allow", ()),
        ("npx -c 'whoami'", ()),
        ("npx https://host.example/a.tgz", ()),
        ("npx", ()),
    ],
)
def test_a_literal_name_is_known_beforehand(text: str, names: tuple[str, ...]) -> None:
    assert by_scripts([{"scripts": {"preinstall": text}}]) == names


def test_scripts_that_lifecycle_scripts_call_and_those_of_members_count_and_no_others() -> None:
    root = {
        "scripts": {"prepare": "npm run hooks", "prehooks": "npx before", "hooks": "yarn more", "more": "npx husky",
                    "test": "npx jest"},
    }  # fmt: skip
    member = {"scripts": {"postinstall": "npx member-tool"}}
    assert set(by_scripts([root, member])) == {"before", "husky", "member-tool"}
    assert by_scripts([{"scripts": {"prepare": "npm run prepare"}}, {"scripts": 7}, {}]) == ()


def test_there_is_an_end_to_it() -> None:
    many = " && ".join(f"npx a{number}" for number in range(300))
    assert len(by_scripts([{"scripts": {"install": many}}])) == MAX_ASKED
