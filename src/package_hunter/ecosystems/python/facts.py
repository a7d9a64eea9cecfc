"""What there is to know of pip, uv, poetry and what else installs from PyPI."""

from __future__ import annotations

from package_hunter.model.ecosystem import Builds, BuiltIn, Facts

FACTS = Facts(
    name="pypi",
    managers=("pip", "python", "uv", "poetry"),
    purl_type="pypi",
    # PEP 508; of PEP 440 what begins as a version does: the index says whether there is such a one
    package_names=r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,212}[A-Za-z0-9])?",
    package_versions=r"v?(?:\d{1,9}!)?\d[0-9A-Za-z.+_-]{0,253}(?:\.\*)?",
    manifests=("requirements.txt", "pyproject.toml", "setup.py", "Pipfile", "Pipfile.lock", "pylock.toml"),
    pins=("poetry.lock", "uv.lock", "requirements.txt", "pyproject.toml", "setup.py"),
    pin_lines=(r"^\s*/?NAME\b", r'^name = "NAME"', r"^\./NAME\b"),
    addressed=(
        r"(?:requirements|constraints)[\w.-]*\.(?:txt|in)",
        r"pyproject\.toml",
        r"poetry\.lock",
        r"uv\.lock",
        r"pipfile(?:\.lock)?",
        r"setup\.cfg",
    ),
    credential_files={".pypirc": "pypirc", "pip.conf": "pip", "pip.ini": "pip"},
    settings=(".config/pip/pip.conf",),
    project_settings=("pip.conf",),
    installed=("/site-packages/",),
    made_with={".venv": "pyvenv.cfg", "venv": "pyvenv.cfg"},
    separators=r"[-_.]+",
    archives=(r"\.tar\.\w+", r"\.tar", r"\.zip", r"\.whl", r"\.egg"),
    packed_by="pyproject.toml",
    tagged_archives=(".whl", ".egg"),
    interpreters=("python",),
    reads={"pip": ("/.netrc", "/.pypirc", "/.config/pip"), "uv": ("/.netrc",)},
    fetch_programs=("/usr/local/bin/uv",),
    runs_as={"pip": r"/usr/\S+/pip/__pip-runner__\.py"},
    driver="python3 -I /usr/share/python3/resolve.py ",  # ours: has uv resolve, install and build
    starts=(
        r"python[\d.]* (?:-\w+ )*/usr/\S+/pip/__pip-runner__\.py ",
        r"python[\d.]* (?:-\w+ )*/usr/\S+/pyproject_hooks/_in_process/_in_process\.py ",
        r"python[\d.]* (?:-\w+ )*-c \s*exec\(compile\('''\s*# This is <pip-setuptools-caller>",
        # uv asks an interpreter what it is
        r"python[\d.]* (?:-\w+ )*-c import sys; sys\.path = \[.{1,300}from python\.get_interpreter_info import main",
        # and how it has it build
        r"python[\d.]* -c import sys\s+if sys\.path\[0\] == \"\":\s+sys\.path\.pop\(0\)\s+sys\.path = \[",
        # our driver, a start-up file that a build brought
        r"\S*python[\d.]* -I -S -c import (?:site|runpy), sys; sys\.path\.append\(sys\.argv\[1\]\); "
        r"(?:site\.addpackage|runpy\.run_path)\(",
    ),
    starts_itself=(
        r"python[\d.]* (?:-\w+ )*/usr/\S+/pip/__pip-runner__\.py ",
        r"(?:/usr/\S+/)?uv (?:pip|export|venv)\b",
    ),
    builds=Builds(
        program="pip",
        script="pip install",
        folder=r"/pip-(install|req-build|wheel|download)-\w{8}"
        r"(?:/([A-Za-z0-9._-]{1,200}?)_[0-9a-f]{32})?(?=[/'\"\s]|$)",
        given="req-build",
        # how pip runs a build in the folder of a package that was given as a folder: itself
        hook=r"/_in_process\.py\b|<pip-setuptools-caller>",
        question=r"python[\d.]* (?:-\w+ )*-c import sys; .{1,300}"
        r"from python\.get_interpreter_info import main; main\(\)",
        starters=(
            ".pth",
            *(
                f"/{name}{end}"
                for name in ("sitecustomize", "usercustomize")
                for end in ("", ".py", "/__init__.py")
            ),
        ),
    ),
    says_error=(
        r"^error:\s+((?:Failed|No solution|Distribution|Because).+)$",
        r"^ERROR:\s+(?!A complete log|code |path )(?:(?:404|notarget|network)\s+)*(.+)$",
    ),
    says_not_found=(r"ModuleNotFoundError: No module named '([^']{1,214})'",),
    says_unknown=(r"No matching distribution found",),
    says_unreachable=(r"Read timed out|Max retries exceeded",),
    built_in=(
        BuiltIn(
            (
                "usr/lib/python3*/dist-packages/pip/_internal/models/index.py",
                "usr/local/lib/python3*/*-packages/pip/_internal/models/index.py",
            ),
            r"^PyPI = PackageIndex\(\s*\"(https?://[^\s'\"\]]+)\"",
            "simple/",
            r"^PyPI = PackageIndex\(\s*\"[^\"]+\",\s*file_storage_domain=\"([\w.-]+)\"",
        ),
    ),
    agents=(r"(?:pip|uv|poetry)/\d",),
    read_use="pypi-upload",
    gitlab={"pypi": "pip", "pip": "pip"},
    osv="PyPI",
)
