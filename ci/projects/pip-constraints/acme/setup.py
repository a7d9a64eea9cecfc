from setuptools import setup

setup(name="acme-corpus", version="1.0", packages=["acme_corpus"], install_requires=["idna", "zipp"])
