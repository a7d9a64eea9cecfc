"""Starts of the interpreter that show what one start-up file does, alone.

Every start of Python runs all of them (``.pth`` lines that begin with ``import``, ``sitecustomize``,
``usercustomize``), so what is done there by one would be the doing of whose turn it is. Each is therefore started in a
process of its own before any other code of the environment runs, and again after the install.
"""

from __future__ import annotations

from collections.abc import Iterator

from package_hunter.ecosystems.python import installed
from package_hunter.ecosystems.python.installed import Distribution
from package_hunter.ecosystems.tree import BoxTree

# As Python reads them, with what they import in reach. Also in resolve.py, which can import nothing of ours. A module
# is run by its path: the system's own of that name comes first where a name is looked up.
FILE = "import site, sys; sys.path.append(sys.argv[1]); site.addpackage(sys.argv[1], sys.argv[2], set())"
MODULE = (
    "import runpy, sys; sys.path.append(sys.argv[1]); "
    "runpy.run_path(sys.argv[1] + '/' + sys.argv[2], run_name=sys.argv[2][:-3])"
)


def alone(site: str, name: str) -> tuple[str, ...]:
    """The interpreter's arguments after its options, to run one file of ``site``."""
    return ("-S", "-c", MODULE if name.endswith(".py") else FILE, site, name)


def there(tree: BoxTree, venv: str) -> Iterator[tuple[Distribution, str, str]]:
    """The start-up files that lie in an environment: whose, its folder, its name. One look where there is none."""
    site = installed.site_packages(tree, venv)
    if site is None or not any(map(installed.runs_at_start, tree.names(site))):
        return
    for item in installed.distributions(tree, venv):
        yield from ((item, site, name) for name in item.startup)
