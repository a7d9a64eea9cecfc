from setuptools import setup

setup(name="ns-corpus-two", version="1.0", packages=["nscorpus.two"])
