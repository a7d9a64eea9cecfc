from setuptools import setup

setup(name="own-corpus", version="1.0", py_modules=["own_corpus"], install_requires=["six"])
