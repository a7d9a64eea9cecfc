"""Receive: archives, directories and purls in, safely unpacked trees out."""
