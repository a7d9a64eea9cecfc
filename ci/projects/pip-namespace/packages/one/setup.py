from setuptools import setup

setup(name="ns-corpus-one", version="1.0", packages=["nscorpus.one"], install_requires=["six==1.16.0"])
