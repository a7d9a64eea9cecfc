"""Plan: what to install and load, one file an ecosystem."""
