"""The Python world: pip, and the lock files of uv, poetry and pipenv."""
