"""Settings of all tests."""

from hypothesis import HealthCheck, settings

from package_hunter.ecosystems import known  # noqa: F401 (says which ecosystems there are)

# A busy machine draws slowly; that says nothing of a strategy. No property here is a matter of time.
settings.register_profile("package-hunter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("package-hunter")
