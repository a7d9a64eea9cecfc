"""What there is to know of npm, yarn and pnpm."""

from __future__ import annotations

from package_hunter.model.box import HOME
from package_hunter.model.ecosystem import BuiltIn, Facts

LIFECYCLE = "/usr/share/npm/lifecycle.js"  # ours: lets npm run one lifecycle script

_URL = r"(https?://[^\s'\"\]]+)"
_NPX = rf"{HOME}/\.npm/_npx/[0-9a-f]{{8,64}}/node_modules"
_NODE = "usr/local/lib/node_modules"

FACTS = Facts(
    name="npm",
    managers=("npm", "yarn", "pnpm", "bun"),
    purl_type="npm",
    # validate-npm-package-name, for old packages; a version, tag or simple range: else it would be another package
    package_names=r"(?!(?:node_modules|favicon\.ico)$)(?:@[A-Za-z0-9~*!'()-][A-Za-z0-9._~*!'()-]*/)?"
    r"[A-Za-z0-9~*!'()-][A-Za-z0-9._~*!'()-]{0,213}",
    package_versions=r"[\^~]?[0-9A-Za-z][0-9A-Za-z.+_-]{0,255}",
    manifests=("package.json",),
    pins=(
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "package.json",
    ),
    pin_lines=(r'"(?:[^"]*node_modules/)?NAME"\s*:', r'^"?NAME@'),
    addressed=(
        r"package\.json",
        r"package-lock\.json",
        r"npm-shrinkwrap\.json",
        r"yarn\.lock",
        r"pnpm-lock\.yaml",
        r"pnpm-workspace\.yaml",
        r"bun\.lock",
    ),
    credential_files={
        ".npmrc": "npmrc",
        ".yarnrc": "yarnrc",
        ".yarnrc.yml": "yarnrc",
        ".yarnrc.local": "yarnrc",
    },
    settings=(".npmrc", ".yarnrc", ".yarnrc.yml"),
    project_settings=(".npmrc", ".yarnrc", ".yarnrc.yml"),
    installed=("/node_modules/", "/.yarn/", "/.pnpm/"),
    made_beside={"node_modules": "package.json"},
    script_manifest="package.json",
    archives=(r"\.tgz",),
    interpreters=("node",),
    reads={
        "npm": ("/.npmrc",),
        "npx": ("/.npmrc",),
        "lifecycle.js": ("/.npmrc",),
        "pnpm": ("/.npmrc", "/pnpm/rc", "/pnpm/auth.ini"),
        "pnpx": ("/.npmrc", "/pnpm/rc", "/pnpm/auth.ini"),
        "corepack": ("/.npmrc",),
        "yarn": ("/.npmrc", "/.yarnrc"),
    },
    fetched_as={
        "pnpm": rf"{_NPX}/(?:\.bin/pnpm|pnpm/bin/pnpm\.[cm]?js)",
        "yarn": rf"{_NPX}/(?:\.bin/yarn|@yarnpkg/cli-dist/bin/yarn\.[cm]?js)",
    },
    fetch_programs=(
        "/usr/local/bin/node",
        "/usr/bin/node",
        "/usr/local/opt/node*/bin/node",
        "/usr/bin/dash",
        "/bin/dash",
        "/usr/bin/sh",
        "/bin/sh",
    ),
    driver=f"node {LIFECYCLE} ",
    starts=(r"sh -c ",),
    says_error=(
        r"^(?:npm (?:error|ERR!)|error|[ \t]*ERR_PNPM_\w+)\s+(?!A complete log|code |path )"
        r"(?:(?:404|notarget|network)\s+)*(.+)$",
    ),
    says_not_found=(r"Cannot find (?:module|package) '([^']{1,214})'",),
    says_unknown=(
        r"\bE404\b",
        r"\bETARGET\b",
        r"No matching version found",
        r"Couldn't find package",
        r"ERR_PNPM_FETCH_404",
        r"No candidates found",
    ),
    says_unreachable=(
        r"\bE50[234]\b",
        r"ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ERR_SOCKET_TIMEOUT",
    ),
    # yarn classic sends the token of npm's registry to its own name for it
    built_in=(
        BuiltIn(
            (f"{_NODE}/npm/node_modules/@npmcli/config/lib/definitions/definitions.js",),
            rf"new Definition\('registry', \{{\s*default: '{_URL}'",
        ),
        BuiltIn((f"{_NODE}/yarn/lib/cli.js",), rf"\bYARN_REGISTRY = '{_URL}'"),
    ),
    agents=(r"(?:npm|pnpm|yarn)/\d",),
    read_use="npm-registry",
    # `npm install` and `npm audit` ask which of the tree's packages have known weaknesses
    read_posts=("/-/npm/v1/security/",),
    gitlab={"npm": "npm", "yarn": "yarn", "pnpm": "pnpm"},
    osv="npm",
)
