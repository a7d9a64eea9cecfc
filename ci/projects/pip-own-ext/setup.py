from setuptools import Extension, setup

setup(
    name="ext-corpus",
    version="1.0",
    ext_modules=[Extension("ext_corpus", ["ext.c"])],
    install_requires=["six==1.16.0"],
)
