"""Programs of ours that run in the box, as the box's user."""

from importlib import resources

NEXT_MORNING = "/usr/lib/user-session/session.py"  # where it lies in the box


def next_morning() -> bytes:
    """The program that does what happens on a machine the next morning."""
    return resources.files(__name__).joinpath("next_morning.py").read_bytes()
