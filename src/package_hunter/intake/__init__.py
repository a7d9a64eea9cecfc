"""Receive: archives, directories and purls in, safely unpacked trees out.

``receive.receive`` takes a target in, ``run.run_unpacker`` unpacks it in a confined process of its own. That
process imports from here, so this file imports nothing.
"""
