from setuptools import setup

setup(
    name="plugin-corpus",
    version="1.0",
    py_modules=["plugin_corpus"],
    install_requires=["acme-corpus>=1.0", "parsedatetime==2.6"],
)
