"""``python -m package_hunter.sandbox.image``: build the image where it is missing, print its path."""

from __future__ import annotations

import sys

from package_hunter.errors import HunterError
from package_hunter.sandbox.image.build import build_image


def main() -> int:
    """Build, or say in a sentence why not."""
    try:
        print(build_image(force="--force" in sys.argv[1:]))
    except HunterError as error:
        print(f"{error.message}\n{error.advice}".strip(), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
