from pathlib import Path
from setuptools import find_packages, setup

needs = Path(__file__).with_name("needs.txt").read_text().split()
setup(
    name="legacy-corpus",
    version="1.0",
    packages=find_packages(),
    install_requires=needs,
    extras_require={"dev": ["pluggy"]},
)
